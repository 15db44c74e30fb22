"""After the timing: is what the engines answered what the model says?

A reference in bf16 scores every answer token by token (`referee`); texts without ids are cut
into tokens first (`cut`); a fixed text is scored by every engine that can (`passage`).
"""

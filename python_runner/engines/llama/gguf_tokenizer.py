"""The tokenizer inside a GGUF file, as llama.cpp reads it.

A GGUF file alone brings no tokenizer that another library reads in the same way, so its own
is the reference, in the words of the program that the format belongs to. For llama.cpp the
check of the prompts' tokens is then a check of itself; for other engines it is one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from python_runner.common.errors import EngineStartError
from python_runner.common.progress import Progress
from python_runner.engines.contract import LaunchSettings
from python_runner.engines.llama import llamacpp
from python_runner.engines.worker.embedded import EmbeddedEngine

_TOKENIZER = EmbeddedEngine(
    spec=llamacpp.SPEC,
    prepare=llamacpp.prepare,
    loader="python_runner.engines.llama.llamacpp:load_vocabulary",
)


@contextmanager
def gguf_encoder(
    settings: LaunchSettings, *, log: Path, progress: Progress
) -> Iterator[Callable[[str], tuple[int, ...]]]:
    """A function from text to token ids, for as long as the block lasts.

    It runs in a worker process, so that a broken file cannot end the workbench.

    Raises:
        SetupError: llama.cpp cannot be built.
        EngineStartError, EngineCrashError: the file cannot be read.
    """
    _TOKENIZER.prepare(progress)
    with _TOKENIZER.start(settings, log) as running:

        def encode(text: str) -> tuple[int, ...]:
            ids = running.token_ids(text)
            if ids is None:
                raise EngineStartError("llama.cpp gave no token ids")
            return ids

        yield encode

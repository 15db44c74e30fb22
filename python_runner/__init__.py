"""polystack: one model, serving stacks in four languages, every token timed."""

__version__ = "0.1.0"

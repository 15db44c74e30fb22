"""Questions to whoever sits at the terminal, and what is said where nobody does."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TypeVar

import typer

from python_runner.common.errors import UsageError

_Answer = TypeVar("_Answer")


def somebody_is_there() -> bool:
    """Whether there is a terminal to ask at."""
    return sys.stdin is not None and sys.stdin.isatty()


def answered(question: Callable[[], _Answer], *, instead: str) -> _Answer:
    """The answer that `question` (of typer) gets.

    Raises:
        UsageError: the input ends, or there is none; `instead` says what to give.
        typer.Abort: Ctrl-C.
    """
    if sys.stdin is None:  # closed before we began
        raise _nobody(instead)
    try:
        return question()
    except typer.Abort as error:
        # typer makes the same of Ctrl-C and of the input's end; what it came from stays known.
        if isinstance(error.__context__, EOFError):
            raise _nobody(instead) from error
        raise


def _nobody(instead: str) -> UsageError:
    return UsageError("a question was asked, and there is nobody to answer it", hint=instead)

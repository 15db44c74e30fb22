"""Every error a user can meet.

    PolystackError                 exit code 1
    ├── UsageError                 2   the command line or a study file asks the impossible
    │   ├── UnknownNameError           no engine, model, study or run of that name
    │   └── StudyError                 a key of a study file is wrong
    ├── SetupError                 3   something needed is not on this machine
    │   ├── ToolMissingError           a compiler or build tool is absent
    │   └── BuildFailedError           a native part did not compile
    ├── ModelError                 4   weights or tokenizer cannot be made, read or converted
    │   └── ConversionError            another form of weights that are there cannot be made
    ├── EngineError                5   an engine did not do its work
    │   ├── EngineStartError           never became ready
    │   ├── EngineCrashError           its process ended by itself
    │   └── GenerationError            a request failed
    │       └── RequestTimeoutError    it outlasted its time, or nothing came for too long
    ├── UnfairError                6   two conditions that must be equal are not
    └── StoreError                 7   the store of results cannot be read or written

8 is no error but a finding: `diff --fail-if-slower` found a stack that really is slower.

A message says what happened; `hint` says what to do next. The command line prints
both, without a traceback, and exits with `exit_code`; a notebook shows both, without a
traceback.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import ClassVar

INTERRUPTED_EXIT_CODE = 130
"""What a shell reports for a program ended by Ctrl-C (128 + SIGINT)."""

SLOWER_EXIT_CODE = 8
"""Of `diff --fail-if-slower`, where a stack really is slower by more than that."""


class PolystackError(Exception):
    """The root of all errors that a user is meant to read."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if hint:
            self.add_note(hint)

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword-only arguments are lost by Exception's own pickling.
        return (_rebuild, (type(self), self.message, self.hint))

    def _render_traceback_(self) -> list[str]:
        """What Jupyter shows in place of a traceback, which says nothing about a mistake."""
        return [f"{type(self).__name__}: {self.message}", *([self.hint] if self.hint else [])]


def _rebuild(kind: type[PolystackError], message: str, hint: str) -> PolystackError:
    error = kind.__new__(kind)
    PolystackError.__init__(error, message, hint=hint)
    return error


def reason_of(error: BaseException) -> str:
    """The error in one text, for a row of results or a note: what happened, and the hint."""
    if isinstance(error, PolystackError):
        return f"{error.message} ({error.hint})" if error.hint else error.message
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return f"{type(error).__name__}: {error}"


class UsageError(PolystackError):
    """The command line or a study file asks for something that cannot be."""

    exit_code = 2


class UnknownNameError(UsageError):
    """No engine, model, study or run goes by this name; close names are offered."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        close = get_close_matches(name, names, n=1)
        suggestion = f"Did you mean {close[0]!r}? " if close else ""
        super().__init__(
            f"unknown {kind} {name!r}",
            hint=f"{suggestion}Known: {', '.join(names) or 'none yet'}.",
        )


class StudyError(UsageError):
    """A key of a study is missing, unknown or out of range. The message names the key."""


class SetupError(PolystackError):
    """Something that is needed is not on this machine."""

    exit_code = 3


class ToolMissingError(SetupError):
    """A compiler or build tool is absent."""


class BuildFailedError(SetupError):
    """A native part did not compile; the hint names the log."""


class ModelError(PolystackError):
    """Weights or a tokenizer cannot be made, read or converted."""

    exit_code = 4


class ConversionError(ModelError):
    """Another form of weights that are there cannot be made: some engines are left without."""


class EngineError(PolystackError):
    """An engine did not do its work. Becomes a result row, not the end of a run."""

    exit_code = 5


class EngineStartError(EngineError):
    """An engine never became ready."""


class EngineCrashError(EngineError):
    """An engine's process ended by itself; the message names the signal."""


class GenerationError(EngineError):
    """One request failed or outlasted its time."""


class RequestTimeoutError(GenerationError):
    """A request outlasted its time, or nothing came of it for too long; says how long."""


class UnfairError(PolystackError):
    """Two conditions that must be equal before anything is timed are not."""

    exit_code = 6


class StoreError(PolystackError):
    """The store of results cannot be read or written."""

    exit_code = 7

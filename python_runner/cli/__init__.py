"""The command line: parses, calls `run`, prints. No logic of its own."""

from __future__ import annotations

import errno
import signal
import sys
from collections.abc import Sequence
from types import FrameType

import typer

from python_runner.common.dumps import forbid_core_dumps
from python_runner.common.errors import (
    INTERRUPTED_EXIT_CODE,
    PolystackError,
    UsageError,
    reason_of,
)
from python_runner.common.locations import CACHE_VARIABLE

_TERMINATED_EXIT_CODE = 128 + signal.SIGTERM


def main() -> None:
    """Entry point of the `polystack` command."""
    signal.signal(signal.SIGTERM, _end_in_order)
    forbid_core_dumps()
    sys.exit(run_command(sys.argv[1:]))


def run_command(arguments: Sequence[str]) -> int:
    """Run one command; turns what a user can cause into one message and an exit code."""
    from python_runner.cli.app import app

    try:
        result = app(list(arguments), standalone_mode=False, obj=tuple(arguments))
    except typer.TyperException as error:
        if not error.format_message():
            return 0  # No command was named, and the help has been printed.
        _explain(error.format_message(), "`polystack COMMAND --help` tells what there is.")
        return UsageError.exit_code
    except PolystackError as error:
        _explain(error.message, error.hint)
        return error.exit_code
    except OSError as error:
        _explain(reason_of(error), _hint_for(error))
        return PolystackError.exit_code
    except (KeyboardInterrupt, typer.Abort) as ending:
        if isinstance(ending.__cause__, EOFError):
            # typer makes an end of input of any; one that no question met is a mistake of ours.
            raise ending.__cause__ from None
        _explain("interrupted", "")
        return INTERRUPTED_EXIT_CODE
    return result if isinstance(result, int) else 0


def _hint_for(error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return f"Make room (`polystack clean-cache`), or set {CACHE_VARIABLE} to a larger disk."
    return "What was finished is kept: run the command again once that is mended."


def _explain(message: str, hint: str) -> None:
    from python_runner.cli.terminal import PlainConsole  # here, because `--help` must be quick

    errors = PlainConsole(stderr=True, soft_wrap=True)
    errors.print(f"error: {message}", style="red", markup=False, highlight=False)
    if hint:
        errors.print(hint, markup=False, highlight=False)


def _end_in_order(_signal: int, _frame: FrameType | None) -> None:
    # As an exception, so that every `with` on the way up ends its engine.
    raise SystemExit(_TERMINATED_EXIT_CODE)

"""The command line: parses, calls `run`, prints. No logic of its own."""

from __future__ import annotations

import signal
import sys
from types import FrameType

import click
from rich.console import Console

from python_runner.common.errors import INTERRUPTED_EXIT_CODE, PolystackError

_TERMINATED_EXIT_CODE = 128 + signal.SIGTERM


def main() -> None:
    """Entry point of the `polystack` command."""
    signal.signal(signal.SIGTERM, _end_in_order)
    sys.exit(_run())


def _run() -> int:
    """Run the command; turns what a user can cause into one message and an exit code."""
    from python_runner.cli.app import app

    errors = Console(stderr=True, soft_wrap=True)
    try:
        result = app(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except PolystackError as error:
        errors.print(f"error: {error.message}", style="red", markup=False, highlight=False)
        if error.hint:
            errors.print(error.hint, markup=False, highlight=False)
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        errors.print("interrupted", style="red")
        return INTERRUPTED_EXIT_CODE
    return result if isinstance(result, int) else 0


def _end_in_order(_signal: int, _frame: FrameType | None) -> None:
    # As an exception, so that every `with` on the way up ends its engine.
    raise SystemExit(_TERMINATED_EXIT_CODE)

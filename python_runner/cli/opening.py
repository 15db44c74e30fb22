"""Whether to open what was written, and doing it."""

from __future__ import annotations

import sys
import webbrowser
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

OPEN_VARIABLE = "POLYSTACK_OPEN"
"""`0` or `no`: nothing opens by itself."""
_OFF = {"0", "no", "off", "false"}
_REMOTE = ("SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY")
_SCREENS = ("DISPLAY", "WAYLAND_DISPLAY")

OpenOption = Annotated[
    bool | None,
    typer.Option(
        "--open/--no-open",
        help=f"Open the report in a browser; {OPEN_VARIABLE}=0 does as --no-open.",
        show_default="where there is a desktop",
    ),
]


def may_open(variables: Mapping[str, str], *, is_terminal: bool, platform: str) -> bool:
    """Whether somebody sits before this machine and sees a window that opens.

    Args:
        variables: of the environment.
        is_terminal: whether output goes to one; a script or a pipe opens nothing.
        platform: `sys.platform`.
    """
    if variables.get(OPEN_VARIABLE, "").strip().lower() in _OFF:
        return False
    if not is_terminal or variables.get("CI") or any(variables.get(name) for name in _REMOTE):
        return False
    return platform == "darwin" or any(variables.get(name) for name in _SCREENS)


def open_page(page: Path) -> bool:
    """Show `page` in the user's browser; whether there is one."""
    try:
        return webbrowser.open(page.absolute().as_uri())
    except webbrowser.Error:
        return False


def is_terminal() -> bool:
    """Whether standard output is one."""
    return sys.stdout.isatty()

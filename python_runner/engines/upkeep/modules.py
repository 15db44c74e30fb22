"""The Go modules that a program is linked from."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

from python_runner.common.build.commands import build_variables

_DEPENDENCY = re.compile(r"^\tdep\t(\S+)\t(\S+)", re.MULTILINE)


def modules_of(programs: Iterable[Path]) -> frozenset[str]:
    """The modules that these programs are linked from, as each program itself lists them.

    go.sum is not asked: it names six times as many, for tests and programs that nobody builds.

    Raises ValueError where Go is not there to read a program, or finds no list in it.
    """
    found: set[str] = set()
    for program in programs:
        found |= linked_modules(_version_list(program))
    if not found:
        raise ValueError("Go is not there to read the list of modules in the program")
    return frozenset(found)


def linked_modules(printed: str) -> frozenset[str]:
    """Modules in what `go version -m PROGRAM` prints, without the program's own."""
    return frozenset(path for path, _ in _DEPENDENCY.findall(printed))


def _version_list(program: Path) -> str:
    """What Go reads in the program; empty if it cannot be asked."""
    try:
        asked = subprocess.run(
            ["go", "version", "-m", program],
            capture_output=True,
            text=True,
            check=False,
            env={**build_variables(), "GOFLAGS": "", "GOTOOLCHAIN": "local"},
        )
    except OSError:
        return ""
    return asked.stdout if asked.returncode == 0 else ""

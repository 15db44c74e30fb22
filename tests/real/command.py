"""The command line in a process of its own, marked so that all that it starts can be found."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from python_runner.common.locations import source_root
from tests.contract.processes import alive

_MARK = "POLYSTACK_TEST_MARK"
_MAIN = "from python_runner.cli import main; main()"
TIMEOUT_S = 300.0


@dataclass(frozen=True)
class Marked:
    """Runs `polystack` with a mark in its environment, which its children inherit."""

    folder: Path
    """Where it runs: its results go there."""
    changes: Mapping[str, str] = field(default_factory=dict)
    """Variables to set besides."""
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start it."""
        return subprocess.Popen(
            [sys.executable, "-c", _MAIN, *arguments],
            cwd=self.folder,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def environment(self) -> dict[str, str]:
        """Variables for a process that is to be found by the mark."""
        ours = {"COLUMNS": "200", "PYTHONPATH": str(source_root())}
        return {**os.environ, **ours, **self.changes, _MARK: self.mark}

    def run(self, *arguments: str) -> tuple[int, str]:
        """Run it to its end: exit code, and all that was printed."""
        with self.start(*arguments) as process:
            try:
                printed, _ = process.communicate(timeout=TIMEOUT_S)
            except BaseException:
                process.kill()
                raise
        assert "Traceback" not in printed, printed
        return process.returncode, printed

    def processes(self) -> set[int]:
        """All living processes with the mark."""
        found = set()
        for process in psutil.process_iter():
            try:
                if process.environ().get(_MARK) == self.mark:
                    found.add(process.pid)
            except (psutil.Error, OSError):
                continue
        return alive(found)


def path_with(folder: Path, *tools: str) -> str:
    """A PATH with these programs and no others."""
    folder.mkdir()
    for tool in tools:
        found = shutil.which(tool)
        assert found is not None, tool
        (folder / tool).symlink_to(found)
    return str(folder)

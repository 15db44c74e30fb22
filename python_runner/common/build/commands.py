"""Find tools, run a compiler, and show how far it is."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TextIO

from python_runner.common import guard
from python_runner.common.errors import BuildFailedError, ToolMissingError
from python_runner.common.processes import end_with_parent, stop_tree, tail
from python_runner.common.progress import Task
from python_runner.common.secrets import is_for_builds, without_secrets

# pip indents what the build it runs has printed.
_NINJA_STEP = re.compile(r"^\s*\[(\d+)/(\d+)\]")


def search_path() -> str:
    """PATH with the programs of our own virtual environment first, activated or not."""
    ours = str(Path(sys.executable).parent)
    return os.pathsep.join([ours, os.environ.get("PATH", os.defpath)])


def build_variables() -> dict[str, str]:
    """Our environment for a build tool, with our own programs first on PATH.

    Without its secrets, but for those that open a registry of packages.
    """
    return {**without_secrets(os.environ, keeps=is_for_builds), "PATH": search_path()}


def require_tool(name: str, purpose: str, install: str) -> str:
    """The path of the program `name`. Raises ToolMissingError that says how to get it."""
    found = shutil.which(name, path=search_path())
    if found is None:
        raise ToolMissingError(f"{name} was not found; {purpose} needs it", hint=install)
    return found


def tool_version(command: Sequence[str]) -> str:
    """First line of what a tool prints about its version.

    Raises ToolMissingError if the tool is there and does not work.
    """
    try:
        result = subprocess.run(
            list(command), capture_output=True, text=True, check=False, env=build_variables()
        )
    except OSError as error:
        raise ToolMissingError(
            f"{' '.join(command)} cannot be run: {error.strerror}",
            hint="The tool is there and does not start: repair its installation.",
        ) from error
    lines = (result.stdout or result.stderr).splitlines()
    if result.returncode != 0 or not lines:
        raise ToolMissingError(
            f"{' '.join(command)} failed: {lines[0] if lines else 'no output'}",
            hint="The tool is installed and does not work: repair its installation.",
        )
    return lines[0].strip()


def run_build(
    command: Sequence[str | Path],
    *,
    log: Path,
    task: Task,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> None:
    """Run one build command, its output appended to `log`; steps `[3/10]` move the bar.

    Raises BuildFailedError with the end of the output.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    words = [str(part) for part in command]
    with (
        log.open("a", encoding="utf-8") as output,
        subprocess.Popen(
            [sys.executable, "-P", guard.__file__, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**build_variables(), **(env or {})},
            cwd=cwd,
            preexec_fn=end_with_parent(signal.SIGTERM),  # noqa: PLW1509 - see there
        ) as process,
    ):
        output.write(f"$ {' '.join(words)}\n")
        try:
            _follow(process, output, task)
        except BaseException:  # Ctrl-C must end the compilers, too
            stop_tree(process)
            raise
    if process.returncode != 0:
        raise BuildFailedError(
            f"{Path(words[0]).name} failed (exit code {process.returncode}):\n{tail(log, 12)}",
            hint=f"The whole log: {log}",
        )


def _follow(process: subprocess.Popen[bytes], output: TextIO, task: Task) -> None:
    """Write down what the build prints, and move the bar with it."""
    assert process.stdout is not None
    for raw in process.stdout:
        line = raw.decode(errors="replace")
        output.write(line)
        step = _NINJA_STEP.match(line)
        fraction = int(step[1]) / int(step[2]) if step else None
        task.update(fraction, line.strip()[:100])

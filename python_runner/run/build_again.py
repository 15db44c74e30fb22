"""How long a stack takes to compile from nothing: built once more, beside what is there."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Collection, Iterable
from pathlib import Path

from python_runner.common.build.cache import builds_dir, fresh_log, scratch_dir
from python_runner.common.build.commands import run_build
from python_runner.common.build.times import move_times
from python_runner.common.errors import UsageError
from python_runner.common.locations import CACHE_VARIABLE, cache_dir
from python_runner.common.progress import Progress
from python_runner.engines.checkup import survey
from python_runner.engines.table import engine
from python_runner.engines.upkeep import Inventory, upkeep_of

_BUILD = "from python_runner.cli import main; main()"
_GO_CACHE = "GOCACHE"


def build_again(stacks: Iterable[str], progress: Progress) -> tuple[str, ...]:
    """Compile these stacks in an empty cache, and keep what that took with their builds.

    What has been built is neither touched nor used; sources that were fetched are used again,
    for a download says nothing about compiling.

    Args:
        stacks: names of engines, which are built first where they are not.
        progress: where to report.

    Returns:
        The names of the builds whose times are known now.

    Raises:
        UnknownNameError: no such engine.
        UsageError: nothing is compiled for any of them.
        SetupError: one cannot be built.
    """
    names = list(stacks)
    timed: dict[Path, None] = {}
    for name in names:
        candidate = engine(name)
        candidate.prepare(progress)
        declared = upkeep_of(name)
        if declared is not None:
            owned = Inventory(declared=declared, used=survey(candidate).used)
            timed |= dict.fromkeys(filter(None, map(owned.folder_of, declared.builds)))
    if not timed:
        raise UsageError(
            f"nothing is compiled for {', '.join(names)}",
            hint="Stacks of which the table says how long they took: `polystack upkeep`.",
        )
    with tempfile.TemporaryDirectory(dir=scratch_dir(), prefix="again-") as scratch:
        cache = Path(scratch)
        lay_out(cache, timed)
        why = "in an empty cache, to see what compiling takes"
        with progress.task(f"Building {', '.join(names)} once more", why=why) as task:
            run_build(
                [*(sys.executable, "-c", _BUILD), "build", "--stacks", ",".join(names)],
                log=fresh_log("again"),
                task=task,
                env={CACHE_VARIABLE: str(cache), _GO_CACHE: str(cache / "go-build")},
            )
        return move_times(cache / "builds", builds_dir())


def lay_out(cache: Path, timed: Collection[Path]) -> None:
    """A cache that has all builds but `timed`, and nothing that compilers keep."""
    builds = cache / "builds"
    builds.mkdir()
    for folder in builds_dir().iterdir():
        if folder.is_dir() and folder not in timed:
            (builds / folder.name).symlink_to(folder, target_is_directory=True)
    known_cpu = cache_dir() / "cpu"
    if known_cpu.is_dir():
        (cache / "cpu").symlink_to(known_cpu, target_is_directory=True)

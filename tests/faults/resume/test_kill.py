"""Killed at any moment: what was reported as done is there, and the run goes on to exact totals."""

from __future__ import annotations

import signal
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from tests.faults.fault import fault
from tests.faults.resume.bench import (
    COMPARE,
    ITERATIONS,
    RESUME,
    SAMPLES,
    STACKS,
    Bench,
    Run,
    bench,
)

Rows = dict[tuple[str, bool, int], tuple[object, ...]]
"""(stack, is warm-up, iteration) to the whole row."""
MANY = 200
EARLY = 4
"""Moments before the first sample, beside each that follows a sample."""
AROUND_S = 0.02
"""From a sample that is reported to about the next."""
AGAIN = 0.3
"""How often what goes on is killed, too."""
NO_RUN = {2, 7}
"""Exit codes of `resume` where no run, or no store, is there yet."""


@pytest.fixture(scope="module")
def loaded() -> Iterator[Bench]:
    with bench() as started:
        yield started


@fault(
    "the workbench is killed at any moment",
    injected="SIGKILL at 8 moments of a run on mocks, and in some of the runs that go on with it",
    seen="`polystack runs` lists it; `polystack resume` completes it (exit 0)",
    kept="every sample that was reported as done, unchanged; totals exact, none twice",
)
def test_killed_at_eight_moments(tmp_path: Path, loaded: Bench) -> None:
    chance = np.random.default_rng(9)
    found = Counter[str]()
    for number, at in enumerate((-2, 0, 1, 3, 5, 8, SAMPLES - 1, SAMPLES)):
        found += one_moment(loaded, folder_of(tmp_path, number), chance, at)
    assert found["killed"], "all runs were over before the signal came"


@pytest.mark.soak
@fault(
    "the workbench is killed at any moment",
    injected="SIGKILL at 200 random moments: start, schema, samples, the end, going on",
    seen="`polystack resume` completes each (exit 0)",
    kept="every sample that was reported as done, unchanged; totals exact, none twice",
)
def test_killed_at_random_moments(
    tmp_path: Path, loaded: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = time.time_ns() % 10**6
    chance, found = np.random.default_rng(seed), Counter[str]()
    for number in range(MANY):
        at = int(chance.integers(-EARLY, SAMPLES, endpoint=True))
        found += one_moment(loaded, folder_of(tmp_path, number), chance, at)
    with capsys.disabled():
        sys.stdout.write(f"\nseed {seed}: {dict(sorted(found.items()))}\n")
    assert found["killed"] > MANY // 2


def folder_of(parent: Path, number: int) -> Path:
    folder = parent / str(number)
    folder.mkdir()
    return folder


def one_moment(bench: Bench, folder: Path, chance: np.random.Generator, at: int) -> Counter[str]:
    """Kill one run, perhaps kill what goes on with it, complete it, and look at what there is.

    Args:
        bench: starts it.
        folder: its own.
        chance: draws what is not given.
        at: so many samples are waited for; below zero: somewhere from the start to the first.
    """
    found, reported = Counter(moments=1), set[tuple[str, bool, int]]()
    command: tuple[str, ...] = COMPARE
    while True:
        with bench.started(folder, *command) as run:
            wait_for_moment(run, chance, at)
            run.end(signal.SIGKILL)
        reported.update(run.reported)
        was_killed = bench.code() == 128 + signal.SIGKILL
        found["killed" if command is COMPARE else "killed while going on"] += was_killed
        if not was_killed or chance.random() > AGAIN:
            break
        command, at = RESUME, int(chance.integers(-3, SAMPLES // 2))
    before = kept(folder)
    assert reported <= before.keys(), f"lost: {reported - before.keys()}"
    found["samples reported"] += len(reported)
    found["in mid-run"] += 0 < len(before) < SAMPLES

    code = to_its_end(bench, folder, *RESUME)
    if code in NO_RUN:
        assert not before
        found["before the run was stored"] += 1
        code = to_its_end(bench, folder, *COMPARE)
    assert code == 0, (folder / "said").read_text("utf-8")
    check_totals(before, kept(folder), folder)
    return found


def wait_for_moment(run: Run, chance: np.random.Generator, at: int) -> None:
    if at < 0:
        time.sleep(chance.uniform(0.0, 0.1 * -at))
    elif run.wait_for(at):
        time.sleep(chance.uniform(0.0, AROUND_S))


def to_its_end(bench: Bench, folder: Path, *command: str) -> int:
    """A command to its end; its exit code."""
    with bench.started(folder, *command):
        pass
    return bench.code()


def kept(folder: Path) -> Rows:
    """All samples in the store, which has to be whole; none where there is no store yet."""
    path = folder / "results" / "polystack.sqlite"
    if not path.exists():
        return {}
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        if not connection.execute("PRAGMA user_version").fetchone()[0]:
            return {}  # killed before its tables were made, which is one transaction
        rows = connection.execute(
            "SELECT c.stack, s.is_warmup, s.iteration, s.* FROM samples s"
            " JOIN conditions c USING (condition_id)"
        ).fetchall()
    found = {(stack, bool(is_warmup), number): row for stack, is_warmup, number, *row in rows}
    assert len(found) == len(rows), "a sample is there twice"
    return {key: tuple(row) for key, row in found.items()}


def check_totals(before: Rows, after: Rows, folder: Path) -> None:
    assert before.items() <= after.items(), "a sample was changed"
    timed = [(stack, number) for stack, is_warmup, number in after if not is_warmup]
    wanted = [(stack, number) for stack in STACKS for number in range(1, ITERATIONS + 1)]
    assert sorted(timed) == sorted(wanted)
    with closing(sqlite3.connect(folder / "results" / "polystack.sqlite")) as connection:
        assert connection.execute("SELECT status FROM runs").fetchall() == [("complete",)]
        open_steps = "SELECT count(*) FROM steps WHERE ended_ns IS NULL OR began_ns IS NULL"
        assert connection.execute(open_steps).fetchone() == (0,)


@pytest.mark.parametrize(
    ("how", "code"),
    [
        pytest.param(
            signal.SIGINT,
            130,
            marks=fault(
                "Ctrl-C in the middle of a run",
                injected="SIGINT after the fifth sample",
                seen="what is kept, and `polystack resume RUN` (exit 130)",
                kept="all samples; the run goes on to exact totals",
            ),
        ),
        pytest.param(
            signal.SIGTERM,
            143,
            marks=fault(
                "the workbench is told to end",
                injected="SIGTERM after the fifth sample",
                seen="what is kept, and `polystack resume RUN` (exit 143)",
                kept="all samples; the run goes on to exact totals",
            ),
        ),
    ],
)
def test_ended_in_order_and_gone_on_with(
    tmp_path: Path, loaded: Bench, how: signal.Signals, code: int
) -> None:
    with loaded.started(tmp_path, *COMPARE, holds_after=5) as started:
        assert started.wait_for(5)
        started.end(how)
    assert loaded.code() == code
    said = (tmp_path / "said").read_text("utf-8")
    assert "polystack resume 1" in said
    assert "Traceback" not in said
    before = kept(tmp_path)
    assert set(started.reported) <= before.keys()
    assert to_its_end(loaded, tmp_path, *RESUME) == 0
    check_totals(before, kept(tmp_path), tmp_path)

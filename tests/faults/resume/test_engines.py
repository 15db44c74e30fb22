"""A real engine under a workbench that is killed; the run goes on."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.contract.processes import wait_until
from tests.faults.fault import fault
from tests.real.command import TIMEOUT_S, Marked

QUICK = ("--threads", "1", "--new-tokens", "8")
# So many that a level takes seconds on any machine: it must be under way when it is killed
REQUESTS = 300
ITERATIONS = 120
LEVELS = (
    *("--users", "1,2", "--requests", str(REQUESTS)),
    *("--warmup", "0", "--prompt-tokens", "24"),
)


def asked(folder: Path, query: str) -> list[tuple[object, ...]]:
    """What the store says; nothing where there is none yet."""
    path = folder / "results" / "polystack.sqlite"
    if not path.exists():
        return []
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        try:
            return connection.execute(query).fetchall()
        except sqlite3.OperationalError:
            return []  # its tables are not made yet


def kill_when(marked: Marked, query: str, *arguments: str) -> None:
    """Start a command, and kill it when the store has an answer to this."""
    with marked.start(*arguments) as process:
        try:
            wait_until(
                lambda: bool(asked(marked.folder, query)) or process.poll() is not None, query
            )
        finally:
            process.kill()
        printed, _ = process.communicate(timeout=TIMEOUT_S)
        assert process.returncode < 0, printed
    wait_until(lambda: not marked.processes(), "its engine ends with it")


@fault(
    "the workbench is killed while llama.cpp answers",
    injected="SIGKILL after the third timed sample",
    seen="`polystack resume` completes the run (exit 0)",
    kept="all samples; the cut visit is warmed up again and completed",
)
def test_llama_cpp_goes_on(tmp_path: Path) -> None:
    marked = Marked(tmp_path)
    three = "SELECT 1 FROM samples WHERE iteration = 3 AND NOT is_warmup"
    kill_when(
        *(marked, three, "compare", "demo", "--stacks", "llama.cpp"),
        *("--iterations", str(ITERATIONS), "--blocks", "2", "--no-answers", *QUICK),
    )
    before = asked(tmp_path, "SELECT * FROM samples")
    assert 3 < len(before) < ITERATIONS
    code, printed = marked.run("resume", "latest", "--no-answers")
    assert code == 0, printed
    after = asked(tmp_path, "SELECT * FROM samples")
    assert set(before) <= set(after)
    timed = asked(tmp_path, "SELECT iteration FROM samples WHERE NOT is_warmup ORDER BY iteration")
    assert timed == [(number,) for number in range(1, ITERATIONS + 1)]
    assert asked(tmp_path, "SELECT status FROM runs") == [("complete",)]


@fault(
    "the workbench is killed in the second level of a load",
    injected="SIGKILL when its first requests are stored",
    seen="`polystack resume` makes that level again whole (exit 0)",
    kept="the level that was finished; the cut one's requests, in no figure",
)
def test_a_load_goes_on_at_the_level_that_was_cut(tmp_path: Path) -> None:
    marked = Marked(tmp_path)
    second = (
        "SELECT 1 FROM load_levels JOIN load_requests USING (level_id) WHERE load_levels.number = 2"
    )
    kill_when(marked, second, "load", "--engine", "llama-server", *LEVELS, *QUICK)
    first = "SELECT level_id, ended_ns FROM load_levels WHERE number = 1"
    before = asked(tmp_path, first)
    code, printed = marked.run("resume", "latest")
    assert code == 0, printed
    assert asked(tmp_path, first) == before
    levels = asked(
        tmp_path,
        "SELECT l.number, count(r.request_id) FROM load_levels l LEFT JOIN load_requests r"
        " USING (level_id) GROUP BY level_id ORDER BY l.number",
    )
    (cut, kept), *whole = levels
    assert cut == -1, "it had ended before it was killed"
    assert isinstance(kept, int)
    assert 0 < kept < REQUESTS
    assert whole == [(1, REQUESTS), (2, REQUESTS)]
    assert asked(tmp_path, "SELECT status FROM runs") == [("complete",)]

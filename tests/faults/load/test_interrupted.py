"""A load that is ended in the middle of a thousand streams."""

from __future__ import annotations

import contextlib
import signal
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from python_runner.cli import run_command
from python_runner.common.progress import SilentProgress
from python_runner.engines.served.truth import prepare_truth_server, truth_server
from python_runner.run.load import check_open_files
from tests.contract.processes import wait_until
from tests.faults.fault import fault
from tests.faults.load.kept import answers_of
from tests.real.command import TIMEOUT_S, Marked
from tests.real.loads import study_of

USERS = 1000
TOKENS = 10
_WORDS = ("--model", "m", "--users", str(USERS), "--duration", "5min", "--keep-answers")
_LENGTHS = ("--prompt-tokens", "8", "--new-tokens", str(TOKENS))
_IN_FLIGHT = "those that had ended; those under way as cut off"


@pytest.fixture(scope="module")
def server_class() -> Any:
    load = study_of({"users": (USERS,), "requests": 1}).load
    assert load
    check_open_files(load)  # the server's ends of the connections are this process's
    return truth_server(prepare_truth_server(SilentProgress()))


def end_in_mid_level(
    server: Any, folder: Path, number: signal.Signals
) -> tuple[int, str, set[str]]:
    """Exit code, what was printed, and requests that had ended well before the signal."""
    command = ("load", "--url", server.url, *_WORDS, *_LENGTHS)
    with Marked(folder).start(*command) as process:
        wait_until(lambda: len(server.truth().request_id) >= USERS, "a thousand answers")
        known = set(server.truth().request_id[-USERS // 2 :])
        wait_until(lambda: known <= kept_so_far(folder), "they were read, and handed over")
        process.send_signal(number)
        printed, _ = process.communicate(timeout=TIMEOUT_S)
    assert "Traceback" not in printed
    return process.returncode, printed, known


def rows(folder: Path, query: str) -> list[Any]:
    with contextlib.closing(sqlite3.connect(folder / "results" / "polystack.sqlite")) as store:
        return store.execute(query).fetchall()


def kept_so_far(folder: Path) -> set[str]:
    """The server's numbers of the requests that are in the store."""
    with contextlib.suppress(sqlite3.OperationalError):
        return {answer.served for answer in answers_of(folder / "results" / "polystack.sqlite", 1)}
    return set()


@pytest.mark.parametrize(
    ("number", "code"),
    [
        pytest.param(
            signal.SIGINT,
            130,
            id="ctrl-c",
            marks=fault(
                "Ctrl-C with 1,000 streams open",
                injected="SIGINT to `polystack load` in mid-level",
                seen="what is kept, and under which number; exit code 130",
                kept=_IN_FLIGHT,
            ),
        ),
        pytest.param(
            signal.SIGTERM,
            143,
            id="sigterm",
            marks=[
                pytest.mark.soak,
                fault(
                    "SIGTERM with 1,000 streams open",
                    injected="SIGTERM to `polystack load` in mid-level",
                    seen="what is kept, and under which number; exit code 143",
                    kept=_IN_FLIGHT,
                ),
            ],
        ),
    ],
)
def test_a_load_that_is_interrupted(
    server_class: Any, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    server = server_class(ttft="100ms", itl="100ms", numbered=True)
    returned, printed, known = end_in_mid_level(server, tmp_path, number)
    assert returned == code, printed
    assert "kept as run 1" in printed
    assert rows(tmp_path, "SELECT status FROM runs") == [("interrupted",)]
    assert rows(tmp_path, "SELECT error FROM load_levels") == [("interrupted",)]
    answers = tuple(answers_of(tmp_path / "results" / "polystack.sqlite", 1))
    assert {answer.error_kind for answer in answers} == {"", "cancelled"}
    assert known <= {answer.served for answer in answers if not answer.error_kind}
    # Whatever had been sent is there, as ended or as cut off.
    assert [answer.number for answer in answers] == list(range(len(answers)))
    assert sum(answer.error_kind == "cancelled" for answer in answers) <= USERS


@fault(
    "`kill -9` with 1,000 streams open",
    injected="SIGKILL to `polystack load` in mid-level",
    seen="`polystack show`: the level has no end",
    kept="every request that had been said to be done",
)
def test_a_load_that_is_killed(
    server_class: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server = server_class(ttft="100ms", itl="100ms", numbered=True)
    returned, _, known = end_in_mid_level(server, tmp_path, signal.SIGKILL)
    assert returned == -signal.SIGKILL
    results = tmp_path / "results"
    answers = tuple(answers_of(results / "polystack.sqlite", 1))
    assert known <= {answer.served for answer in answers}
    assert {answer.tokens for answer in answers} == {TOKENS}
    assert run_command(["show", "1", "--results", str(results)]) == 0
    assert "it has no end" in " ".join(capsys.readouterr().out.split())

"""Servers that fail a thousand users."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import pytest

from python_runner.common.errors import EngineError
from python_runner.common.progress import SilentProgress
from python_runner.engines.served.truth import prepare_truth_server, truth_server
from python_runner.measure.load.calibration import Pace
from python_runner.report.contents import reported
from python_runner.run.calibration import CalibratorOnDemand
from python_runner.run.load import check_open_files
from python_runner.study import Study
from tests.faults.fault import fault
from tests.real.loads import Measured, put_load, study_of

USERS = 1000
TOKENS = 10


def not_now(_calibrator: CalibratorOnDemand, _pace: Pace) -> NoReturn:
    raise EngineError("not now")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client's own error is not what is looked at here."""
    monkeypatch.setattr(CalibratorOnDemand, "measure", not_now)


@pytest.fixture(scope="module")
def server_class() -> Any:
    load = study(requests=1).load
    assert load
    check_open_files(load)  # both ends of the connections are this process's
    return truth_server(prepare_truth_server(SilentProgress()))


def study(**load: Any) -> Study:
    return study_of({"users": (USERS,), **load}, new_tokens=TOKENS)


@contextmanager
def stopped_after(server: Any, answers: int) -> Iterator[None]:
    """The server goes away when it has given so many answers."""

    def stop() -> None:
        deadline = time.monotonic() + 60
        while len(server.truth().request_id) < answers and time.monotonic() < deadline:
            time.sleep(0.02)
        server.stop()

    thread = threading.Thread(target=stop)
    thread.start()
    try:
        yield
    finally:
        thread.join()


def kinds(found: Measured) -> Counter[str]:
    return Counter(found.frames.load_requests["error_kind"])


def check_answers(found: Measured) -> None:
    """Those that are complete are whole."""
    complete = found.requests[found.requests["outcome"] == "complete"]
    assert set(complete["tokens"]) == {TOKENS}
    assert set(complete["n_chunks"]) == {TOKENS}


@fault(
    "The server dies under 1,000 streams",
    injected="the server closes everything in mid-level",
    seen="the stack ended early, the server is gone; the level is marked as broken off",
    kept="answers up to then; those under way and attempts after it as failures, with their kind",
)
def test_a_server_that_dies(server_class: Any, tmp_path: Path) -> None:
    server = server_class(ttft="100ms", itl="50ms")
    with stopped_after(server, USERS + 1):
        found = put_load(server.url, study(duration_s=60.0), tmp_path)
    (reason,) = found.broken.values()
    assert "the server is gone" in reason
    assert "the server is gone" in found.frames.load_levels["error"].iloc[0]
    seen = kinds(found)
    assert set(seen) <= {"", "closed", "connect", "cancelled"}
    assert seen[""] >= USERS
    assert seen["connect"] >= USERS
    # What the server had written whole was read whole, whatever became of the server.
    assert seen[""] == len(server.truth().request_id) - 1  # the first was before the level
    check_answers(found)


@fault(
    "Half of the requests of 1,000 users are reset",
    injected="the server resets the connection of every second request",
    seen="failures of their own kind (`closed`), counted; the level goes on to its end",
    kept="all others, whole",
)
def test_half_of_the_streams_are_reset(server_class: Any, tmp_path: Path) -> None:
    server = server_class(ttft="20ms", itl="20ms", fault="reset", fault_every=2)
    found = put_load(server.url, study(requests=3 * USERS), tmp_path)
    assert not found.broken
    seen = kinds(found)
    assert set(seen) == {"", "closed"}
    assert sum(seen.values()) == 3 * USERS
    assert min(seen.values()) > USERS / 2
    check_answers(found)


@fault(
    "A third of the requests of 1,000 users is refused with 429",
    injected="the server answers every third request with 429 and Retry-After",
    seen="`status 429` with the server's words and its Retry-After, counted",
    kept="all others, whole",
)
def test_a_third_is_refused(server_class: Any, tmp_path: Path) -> None:
    server = server_class(ttft="20ms", itl="20ms", fault="status-429", fault_every=3)
    found = put_load(server.url, study(requests=3 * USERS), tmp_path)
    assert not found.broken
    assert kinds(found) == {"": 2 * USERS, "status": USERS}
    refused = found.frames.load_requests.query("error_kind == 'status'")
    assert set(refused["status"]) == {429}
    assert refused["error"].str.contains("Retry-After: 2").all()
    check_answers(found)


@fault(
    "1,000 answers that come whole in one read",
    injected="the server writes all tokens of an answer at once",
    seen="a warning: TTFT is that of the whole answer; gaps are not known, and never 0",
    kept="every token",
)
def test_answers_in_one_read(server_class: Any, tmp_path: Path) -> None:
    server = server_class(ttft="50ms", itl="10ms", chunks_per_write=TOKENS)
    found = put_load(server.url, study(requests=2 * USERS), tmp_path)
    assert kinds(found) == {"": 2 * USERS}
    check_answers(found)
    whole = found.requests[found.requests["n_unknown_gaps"] == TOKENS - 1]
    assert len(whole) > USERS  # a busy machine may cut some writes in two
    assert not whole["itl_ms"].map(len).any()
    assert whole["came_at_once"].all()
    assert any("came at once" in each for each in reported(found.frames).facts.warnings)

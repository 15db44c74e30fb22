"""What a load says of a server is what that server did.

Nothing is asserted on how fast this machine is: the client's stamps are held against the
server's, and against what the server was told to do.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest

from python_runner.common.errors import EngineError
from python_runner.common.progress import SilentProgress
from python_runner.engines.contract import Dialect
from python_runner.engines.served.truth import prepare_truth_server, served_requests, truth_server
from python_runner.measure.load.calibration import Pace
from python_runner.run.calibration import CalibratorOnDemand
from tests.real.loads import gaps_ms, put_load, study_of


@pytest.fixture(scope="module")
def server_class() -> Any:
    return truth_server(prepare_truth_server(SilentProgress()))


def not_now(_calibrator: CalibratorOnDemand, _pace: Pace) -> NoReturn:
    raise EngineError("not now")


@pytest.mark.parametrize("dialect", Dialect)
def test_every_dialect_gives_the_same_figures(
    server_class: Any, tmp_path: Path, dialect: Dialect
) -> None:
    server = server_class(ttft="30ms", itl="10ms")
    study = study_of({"users": 2, "requests": 4}, new_tokens=6)
    found = put_load(server.url, study, tmp_path, dialect=dialect).requests
    assert set(found["outcome"]) == {"complete"}
    assert set(found["tokens"]) == {6}
    assert not found["chunk_is_not_token"].any()
    truth = served_requests(server.truth())
    for _, row in found.iterrows():
        wrote = truth[str(row["number"])].written_ns
        assert np.all(row["chunk_ns"] >= wrote)
        assert row["decode_ms"] == pytest.approx((wrote[-1] - wrote[0]) / 1e6, abs=20)


def test_a_known_tail_is_found(server_class: Any, tmp_path: Path) -> None:
    """Every 20th gap is 40 ms longer, at 32 streams."""
    server = server_class(ttft="30ms", itl="10ms", slow_every=20, slow_extra="40ms")
    study = study_of({"users": 32, "requests": 64}, new_tokens=61)
    found = put_load(server.url, study, tmp_path).requests
    truth = served_requests(server.truth())
    errors, slow_ones = [], 0
    for _, row in found.iterrows():
        ours = gaps_ms(np.asarray(row["chunk_ns"]))
        served = truth[str(row["number"])]
        theirs, planned = gaps_ms(served.written_ns), gaps_ms(served.due_ns)
        is_slow = planned > 40
        slow_ones += int(np.count_nonzero(is_slow))
        assert is_slow.sum() == 3
        errors += list(np.abs(ours - theirs)[is_slow])
        # The long gaps are where they were made, and nowhere else.
        assert set(np.argsort(ours)[-3:]) == set(np.flatnonzero(is_slow))
    assert slow_ones == 64 * 3
    assert float(np.median(errors)) < 1.0


def test_four_tokens_a_chunk_are_four_tokens(server_class: Any, tmp_path: Path) -> None:
    server = server_class(ttft="30ms", itl="20ms", tokens_per_chunk=4)
    found = put_load(
        server.url, study_of({"users": 2, "requests": 4}, new_tokens=40), tmp_path
    ).requests
    assert set(found["outcome"]) == {"complete"}
    assert found["chunk_is_not_token"].all()
    assert set(found["n_chunks"]) == {10}
    truth = served_requests(server.truth())
    for _, row in found.iterrows():
        wrote = truth[str(row["number"])].written_ns
        # 36 tokens came after the first chunk, in the time of nine gaps.
        true_tpot = (wrote[-1] - wrote[0]) / 1e6 / 36
        assert row["tpot_ms"] == pytest.approx(true_tpot, rel=0.2)


def test_a_stall_shows_where_arrivals_do_not_wait_for_it(
    server_class: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server writes nothing for two seconds. Users who wait for it meet it once each."""
    # The stall is counted from the first request, so nothing may lie between that and the load.
    monkeypatch.setattr(CalibratorOnDemand, "measure", not_now)
    how = {"ttft": "5ms", "itl": "2ms", "stall_after": "1s", "stall_for": "2s"}
    stalled = server_class(**how)
    opened = put_load(
        stalled.url,
        study_of({"rate": 40.0, "arrivals": "constant", "duration_s": 4.0}, new_tokens=3),
        tmp_path / "open",
    ).requests
    naive_server = server_class(**how)
    closed = put_load(
        naive_server.url,
        study_of({"users": 2, "duration_s": 4.0}, new_tokens=3),
        tmp_path / "closed",
    ).requests
    assert set(opened["outcome"]) == set(closed["outcome"]) == {"complete"}
    # Half of four seconds: about half of the arrivals waited, from nothing to two seconds.
    assert np.percentile(opened["ttft_ms"], 90) > 1_000
    assert np.count_nonzero(opened["ttft_ms"] > 200) > len(opened) / 4
    # The naive count sees all but a few requests as if nothing had been.
    assert np.count_nonzero(closed["ttft_ms"] > 1_000) <= 4
    assert np.percentile(closed["ttft_ms"], 90) < 1_000


def test_events_of_one_read_have_no_gap(server_class: Any, tmp_path: Path) -> None:
    server = server_class(ttft="20ms", itl="5ms", chunks_per_write=4)
    found = put_load(
        server.url, study_of({"users": 4, "requests": 8}, new_tokens=32), tmp_path
    ).requests
    known = np.concatenate(list(found["itl_ms"]))
    assert known.size
    assert known.min() > 0
    assert found["n_unknown_gaps"].sum() >= 8 * 3 * 8
    assert set(found["tokens"]) == {32}


def test_the_clients_error_stands_beside_every_level(server_class: Any, tmp_path: Path) -> None:
    server = server_class(ttft="20ms", itl="5ms")
    measured = put_load(
        server.url, study_of({"users": (1, 8), "requests": 16}, new_tokens=8), tmp_path
    )
    levels = measured.frames.load_levels
    assert [error["streams"] for error in levels["client_error"]] == [1, 8]
    for error in levels["client_error"]:
        assert error["events"] > 50
        assert 0 <= error["ttft_p50_ms"] <= error["ttft_p99_ms"]
        assert 0.1 < error["rate_share"] <= 1.05


def test_faults_are_told_by_kind_and_cost_the_others_nothing(
    server_class: Any, tmp_path: Path
) -> None:
    server = server_class(ttft="5ms", itl="2ms", fault="status-429", fault_every=4)
    found = put_load(
        server.url, study_of({"users": 2, "requests": 16}, new_tokens=4), tmp_path
    ).requests
    failed = found[found["outcome"] == "failed"]
    assert set(failed["failure_kind"]) == {"status"}
    assert len(found) == 16
    assert 3 <= len(failed) <= 5
    assert (found["outcome"] == "complete").sum() == 16 - len(failed)


def test_an_answer_with_too_few_tokens_is_no_fast_answer(server_class: Any, tmp_path: Path) -> None:
    server = server_class(ttft="5ms", itl="2ms", fault="wrong-usage", fault_every=2)
    found = put_load(
        server.url, study_of({"users": 1, "requests": 6}, new_tokens=4), tmp_path
    ).requests
    assert set(found["failure_kind"]) == {"", "wrong-count"}

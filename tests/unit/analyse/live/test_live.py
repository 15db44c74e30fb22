"""What stacks and levels show so far: the same figures as the report at the end."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from python_runner.analyse.live import (
    RequestPoints,
    StackState,
    levels,
    live_levels,
    live_stacks,
    probe_noise,
    request_points,
)
from python_runner.analyse.load.request import request_figures
from python_runner.analyse.summary import summarise
from python_runner.common.clock import NS_PER_MS
from python_runner.report.live_data import SoFar
from python_runner.store import LoadRunRecorder, Store, read_frames
from python_runner.store.follow import Follower
from tests.golden.frames import LLAMA_CPP, OLLAMA, build_frames, rename
from tests.unit.builders import condition, study
from tests.unit.live_builders import four_in_the_middle, so_far
from tests.unit.load_builders import FakeRequest, closed, finished


def rows_of(found: SoFar) -> dict[str, dict[str, Any]]:
    by_stack: dict[str, list[Any]] = {}
    for sample in found.samples:
        by_stack.setdefault(sample["stack"], []).append(sample)
    rows = live_stacks(found.steps, found.conditions, by_stack)
    return {row["title"]: row for row in rows}


def test_medians_are_those_of_the_summary() -> None:
    stacks = [LLAMA_CPP, rename(OLLAMA, early_stops={3: 2})]
    rows = rows_of(so_far([(stack, 5) for stack in stacks], begun=10, ended=10))
    frames = build_frames(stacks)
    for wanted in summarise(frames.samples, frames.conditions).to_dict(orient="records"):
        row = rows[wanted["title"]]
        for name in ("e2e_ms", "ttft_ms", "tpot_ms", "decode_tokens_per_s"):
            assert row[name] == pytest.approx(wanted[name])
        assert row["state"] is StackState.DONE


def test_each_stack_is_at_something() -> None:
    rows = rows_of(four_in_the_middle())
    assert {title: row["state"] for title, row in rows.items()} == {
        "llama.cpp": "waiting",
        "mistral.rs (wheel)": "ended early",
        "Ollama": "running",
        "transformers": "waiting",
    }
    counts = [rows["Ollama"][name] for name in ("n_timed", "n_planned", "n_warmup", "n_failed")]
    assert counts == [3, 10, 2, 1]
    assert np.isnan(rows["Ollama"]["last_e2e_ms"])  # the last one failed


def test_a_visit_without_a_load_yet_is_loading() -> None:
    rows = rows_of(so_far([(rename(LLAMA_CPP, samples_kept=4), 1)], begun=2, ended=1))
    assert rows["llama.cpp"]["state"] is StackState.LOADING


def test_noise_is_relative_to_the_median() -> None:
    readings = [
        {"probe_compute_ns": value, "probe_memory_ns": None} for value in (100, 100, 130, 110)
    ]
    found = probe_noise(readings)
    assert list(found) == ["probe_compute_ns"]
    assert found["probe_compute_ns"].last == pytest.approx(110 / 105 - 1)
    assert found["probe_compute_ns"].worst == pytest.approx(130 / 105 - 1)


REQUESTS = (
    FakeRequest(sent=0, user=0),
    FakeRequest(sent=1, user=1, chunks=(60, 70, 90, 95)),
    FakeRequest(sent=2, error_kind="timeout", error="600 s", chunks=()),
    FakeRequest(sent=3, chunks=(40, 50), tokens=(1, 1), stop="end-of-sequence"),
    FakeRequest(sent=4, chunks=(40, 50), tokens=(1, 1), stop="length"),
    FakeRequest(sent=5, error_kind="cancelled", error="the end", chunks=()),
    FakeRequest(sent=6, chunks=(), output_tokens=4),
    FakeRequest(sent=7, scheduled=2, chunks=(41, 51), tokens=(2, 2)),
)


def test_requests_have_the_figures_of_the_report(tmp_path: Path) -> None:
    path = tmp_path / "polystack.sqlite"
    with Store(path) as store, LoadRunRecorder(store, study(), {}) as recorder:
        recorder.begin(condition())
        recorder.begin_level(closed(new_tokens=4, warmup=1), None)
        follower = Follower(path, recorder.run_id)
        found: list[RequestPoints] = []
        for part in (REQUESTS[:3], REQUESTS[3:]):
            recorder.record(finished(part, first=3 * len(found)))
            news = follower.read()
            assert news is not None
            ((level_id, requests),) = news.requests.items()
            begun = news.levels
            found.append(request_points(requests, begun[0]))
        assert follower.read() is None, "nothing is new"
        follower.close()
        frames = read_frames(store)
    points = found[0].followed_by(found[1])
    (row,) = live_levels(begun, {level_id: points})
    assert row["n"] == 7
    assert row["failures"] == "timeout (1), wrong-count (1), empty (1)"
    wanted = request_figures(frames.load_requests, frames.load_levels)
    wanted = wanted[wanted["outcome"] != "cut off"]
    for name in ("failure_kind", "is_warmup"):
        assert getattr(points, name).tolist() == wanted[name].tolist()
    for name in ("ttft_ms", "tpot_ms", "e2e_ms", "tokens"):
        np.testing.assert_allclose(getattr(points, name), wanted[name])


def test_a_long_level_is_counted_whole_and_held_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    def points(first: int, count: int) -> RequestPoints:
        """Request k is due at k ms, takes k + 1 ms, and every third fails."""
        numbers = np.arange(first, first + count)
        failed = numbers % 3 == 0
        ms = np.where(failed, np.nan, numbers + 1.0)
        return RequestPoints(
            failure_kind=np.where(failed, "timeout", ""),
            is_warmup=numbers < 2,
            due_ns=numbers * NS_PER_MS,
            ended_ns=(2 * numbers + 1) * NS_PER_MS,
            tokens=np.where(failed, np.nan, 2.0),
            ttft_ms=ms,
            tpot_ms=ms,
            e2e_ms=ms,
        )

    whole, level = points(0, 300), {"level_id": 1}
    (exact,) = live_levels([level], {1: whole})
    monkeypatch.setattr(levels, "MOST_HELD", 50)
    held = points(0, 7)
    for first in range(7, 300, 7):
        held = held.followed_by(points(first, min(7, 300 - first)))
    (row,) = live_levels([level], {1: held})
    for name in ("n", "n_failed", "failures", "seconds", "tokens_per_s", "requests_per_s"):
        assert row[name] == exact[name], name
    assert held.due_ns.size == 50
    assert row["ttft_ms"] == np.nanmedian(whole.ttft_ms[-50:])

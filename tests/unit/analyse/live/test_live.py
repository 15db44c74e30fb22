"""What stacks and levels show so far: the same figures as the report at the end."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from python_runner.analyse.live import StackState, live_levels, live_stacks, probe_noise
from python_runner.analyse.live import request_points as points_of
from python_runner.analyse.load.request import request_figures
from python_runner.analyse.summary import summarise
from python_runner.measure.load.level import Level
from python_runner.store import LoadRunRecorder, Store, read_frames
from python_runner.store.follow import Follower
from tests.golden.frames import LLAMA_CPP, OLLAMA, rename
from tests.unit.builders import condition, study
from tests.unit.live_builders import four_in_the_middle, so_far
from tests.unit.load_builders import FakeRequest, closed, finished


def test_medians_are_those_of_the_summary() -> None:
    found = so_far([(LLAMA_CPP, 5), (rename(OLLAMA, early_stops={3: 2}), 5)], begun=10, ended=10)
    rows = live_stacks(found.steps, found.conditions, found.measured).set_index("stack")
    summary = summarise(found.measured, found.conditions.assign(struck="")).set_index("stack")
    for name in ("e2e_ms", "ttft_ms", "tpot_ms", "decode_tokens_per_s"):
        assert rows[name].to_dict() == summary[name].to_dict()
    assert set(rows["state"]) == {StackState.DONE}


def test_each_stack_is_at_something() -> None:
    found = four_in_the_middle()
    rows = live_stacks(found.steps, found.conditions, found.measured).set_index("title")
    assert rows["state"].to_dict() == {
        "llama.cpp": "waiting",
        "mistral.rs (wheel)": "ended early",
        "Ollama": "running",
        "transformers": "waiting",
    }
    assert rows.loc["Ollama", ["n_timed", "n_planned", "n_warmup", "n_failed"]].tolist() == [
        *(3, 10, 2, 1)
    ]
    assert np.isnan(float(str(rows.loc["Ollama", "last_e2e_ms"])))  # the last one failed


def test_a_visit_without_a_load_yet_is_loading() -> None:
    found = so_far([(rename(LLAMA_CPP, samples_kept=4), 1)], begun=2, ended=1)
    rows = live_stacks(found.steps, found.conditions, found.measured)
    assert rows["state"].tolist() == [StackState.LOADING]


def test_noise_is_relative_to_the_median() -> None:
    readings = pd.DataFrame(
        {"probe_compute_ns": [100.0, 100.0, 130.0, 110.0], "probe_memory_ns": [np.nan] * 4}
    )
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


def followed(path: Path, level: Level, requests: Sequence[FakeRequest]) -> pd.DataFrame:
    """Rows as the live view has them, with those of the report beside them."""
    with Store(path) as store, LoadRunRecorder(store, study(), {}) as recorder:
        recorder.begin(condition())
        recorder.begin_level(level, None)
        follower = Follower(path, recorder.run_id)
        recorder.record(finished(requests[:3]))
        first = follower.read()
        recorder.record(finished(requests[3:], first=3))
        second = follower.read()
        assert follower.read() is None, "nothing is new"
        follower.close()
        frames = read_frames(store)
    assert first is not None
    assert second is not None
    assert (len(first.requests), len(second.requests)) == (3, len(requests) - 3)
    found = pd.concat([points_of(part.requests, part.levels) for part in (first, second)])
    wanted = request_figures(frames.load_requests, frames.load_levels)
    rows = live_levels(second.levels, {int(second.levels["level_id"].iloc[0]): found})
    assert rows["n"].tolist() == [7]
    assert rows["failures"].tolist() == ["timeout (1), wrong-count (1), empty (1)"]
    kept = wanted[wanted["outcome"] != "cut off"].reset_index(drop=True)
    return found.reset_index(drop=True).join(kept.add_suffix("_wanted"))


def test_requests_have_the_figures_of_the_report(tmp_path: Path) -> None:
    rows = followed(tmp_path / "polystack.sqlite", closed(new_tokens=4, warmup=1), REQUESTS)
    for name in ("failure_kind", "is_warmup", "ttft_ms", "tpot_ms", "e2e_ms", "tokens"):
        wanted = rows[f"{name}_wanted"]
        pd.testing.assert_series_equal(rows[name], wanted, check_names=False, check_dtype=False)

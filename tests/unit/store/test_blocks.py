"""Visits, loads, looks and probes as they are kept."""

import math
from dataclasses import replace
from pathlib import Path

import pytest

from python_runner.engines.outside import NetworkReading
from python_runner.measure import NoiseReading
from python_runner.store import RunRecorder, Store, read_frames
from tests.unit.builders import condition, generation, sample, study


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "polystack.sqlite")


def visit(
    recorder: RunRecorder,
    load_s: float | None,
    *numbers: int,
    peak: int | None = 1,
    error: str = "",
) -> None:
    recorder.begin(replace(condition(), load_seconds=load_s))
    for number in numbers:
        recorder.record(sample(number, generation()))
    recorder.finish(peak_memory_bytes=peak, error=error)


def test_visits_to_one_stack_are_one_condition(store: Store) -> None:
    with RunRecorder(store, study(), {}) as recorder:
        visit(recorder, 9.0, 1, 2, peak=500)
        visit(recorder, 1.0, 3, peak=700)
        visit(recorder, 2.0, 4, peak=600)
    frames = read_frames(store)
    row = frames.conditions.iloc[0]
    assert len(frames.conditions) == 1
    assert (row["loads"], row["load_seconds"]) == ([9.0, 1.0, 2.0], 2.0)
    assert row["peak_memory_bytes"] == 700
    assert set(frames.samples["condition_id"]) == {row["condition_id"]}


def test_a_visit_that_failed_leaves_what_was_known(store: Store) -> None:
    with RunRecorder(store, study(), {}) as recorder:
        visit(recorder, 9.0, 1, peak=500)
        visit(recorder, None, peak=None, error="never became ready")
    row = read_frames(store).conditions.iloc[0]
    assert (row["loads"], row["peak_memory_bytes"]) == ([9.0], 500)
    assert (row["version"], row["error"]) == ("1.0", "never became ready")


def test_a_stack_that_never_started_has_no_load(store: Store) -> None:
    with RunRecorder(store, study(), {}) as recorder:
        visit(recorder, None, peak=None, error="gone")
    row = read_frames(store).conditions.iloc[0]
    assert row["loads"] == []
    assert math.isnan(row["load_seconds"])
    assert math.isnan(row["peak_memory_bytes"])


def test_block_and_probe_come_back(store: Store) -> None:
    noise = NoiseReading(compute_ns=1_400_000, memory_ns=1_200_000)
    with RunRecorder(store, study(), {}) as recorder:
        recorder.begin(condition())
        recorder.record(replace(sample(1, generation()), block=3, noise=noise))
        recorder.record(sample(2, generation()))
        recorder.finish(peak_memory_bytes=1, error="")
    probed, not_probed = read_frames(store).samples.to_dict(orient="records")
    assert probed["block"] == 3
    assert (probed["probe_compute_ns"], probed["probe_memory_ns"]) == (1.4e6, 1.2e6)
    assert not_probed["block"] == 1
    assert math.isnan(not_probed["probe_compute_ns"])


def test_looks_are_kept_with_their_run(store: Store) -> None:
    with RunRecorder(store, study(), {}) as recorder:
        recorder.looked([10], limit=40)
        recorder.looked([10, 20], limit=40)
    with RunRecorder(store, study(), {}):
        pass
    assert list(read_frames(store).runs["looks"]) == [{"at": [10, 20], "limit": 40}, None]


def test_readings_of_the_network_add_up_over_visits(store: Store) -> None:
    seen = NetworkReading(when="before", name_ns=1, tcp_ns=2, tls_ns=0, round_trip_ns=4)
    lost = NetworkReading(when="after", error="timed out")
    with RunRecorder(store, study(), {}) as recorder:
        for readings in ([seen, seen], [lost]):
            recorder.begin(condition())
            recorder.keep_network(readings)
            recorder.finish(peak_memory_bytes=None, error="")
    (kept,) = read_frames(store).conditions["network"]
    assert kept == [seen.as_row(), seen.as_row(), lost.as_row()]
    assert kept[-1]["tcp_ns"] is None

"""The store keeps every request of a load as it was given, and files of older programs."""

import sqlite3
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from python_runner.common.errors import StoreError
from python_runner.measure.load.level import LoadRecorder
from python_runner.store import LoadRunRecorder, RunKind, RunRecorder, Store, read_frames
from python_runner.store.schema import MIGRATIONS, SCHEMA_VERSION
from tests.unit.builders import condition, generation, sample, study
from tests.unit.load_builders import (
    FakeRequest,
    client_error,
    closed,
    finished,
    level_end,
    opened,
)

ARRAYS = ("chunk_ns", "chunk_tokens", "chunk_reads", "chunk_is_reasoning")
COLUMNS = (
    *("number", "user", "scheduled_ns", "sent_ns", "connect_ns", "tls_ns", "headers_ns"),
    *("ended_ns", "status", "prompt_tokens", "output_tokens"),
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "polystack.sqlite")


def keep(recorder: LoadRecorder, *batches: list[FakeRequest]) -> None:
    recorder.begin(condition())
    recorder.begin_level(closed(users=3, new_tokens=4), client_error())
    sent = 0
    for batch in batches:
        recorder.record(finished(batch, start_ns=10**15, first=sent))
        sent += len(batch)
    recorder.end_level(level_end())
    recorder.finish(peak_memory_bytes=5, error="")


millis = st.floats(0, 1e6, allow_nan=False)
fake_requests = st.builds(
    FakeRequest,
    sent=millis,
    chunks=st.lists(millis, max_size=6).map(sorted),
    user=st.integers(0, 1000),
    connect=millis,
    status=st.sampled_from([0, 200, 429]),
    error_kind=st.sampled_from(["", "status", "timeout"]),
    error=st.text(),
    text=st.text(),
    reasoning=st.integers(0, 3),
    output_tokens=st.integers(-1, 1000),
    timings=st.dictionaries(st.text(max_size=8), st.floats(allow_nan=False), max_size=3),
)


@settings(max_examples=40)
@given(st.lists(st.lists(fake_requests, max_size=4), min_size=1, max_size=3))
def test_any_load_comes_back(batches: list[list[FakeRequest]]) -> None:
    with Store(Path(":memory:")) as store:
        with LoadRunRecorder(store, study(), {}) as recorder:
            keep(recorder, *batches)
        rows = read_frames(store).load_requests
    given_requests = [one for batch in batches for one in batch]
    wanted = finished(given_requests, start_ns=10**15)
    assert len(rows) == len(given_requests)
    for name in COLUMNS:
        assert rows[name].tolist() == getattr(wanted, name).tolist()
    for name in ("error_kind", "error", "stop", "text", "engine_timings"):
        assert tuple(rows[name]) == getattr(wanted, name)
    for name in ARRAYS:
        for index, found in enumerate(rows[name]):
            part = slice(*wanted.chunk_offsets[index : index + 2])
            assert np.array_equal(found, getattr(wanted, name)[part])
            assert found.dtype == getattr(wanted, name).dtype


def test_levels_belong_to_their_stack_and_keep_the_clients_error(store: Store) -> None:
    with LoadRunRecorder(store, study(), {"cpu": "test"}) as recorder:
        recorder.begin(condition())
        recorder.begin_level(closed(users=3, warmup=2), client_error(ttft_p50_ms=0.2))
        recorder.record(finished([FakeRequest()]))
        recorder.end_level(level_end(ended_ns=77, error="cancelled"))
        recorder.begin_level(opened(rate=2.5), None)
        recorder.record(finished([FakeRequest(), FakeRequest(sent=9)]))
        recorder.end_level(level_end())
        recorder.finish(peak_memory_bytes=None, error="")
        assert recorder.requests_kept == 3
    frames = read_frames(store, [recorder.run_id])
    first, second = frames.load_levels.to_dict(orient="records")
    assert (first["arrivals"], first["users"], first["warmup"]) == ("closed", 3, 2)
    assert first["client_error"] == asdict(client_error(ttft_p50_ms=0.2))
    assert (first["ended_ns"], first["error"], first["client_cpu_s"]) == (77, "cancelled", 0.25)
    assert (second["arrivals"], second["rate"], second["number"]) == ("constant", 2.5, 2)
    assert np.isnan(second["users"])
    assert second["client_error"] is None
    assert first["stack"] == second["stack"] == "mock"
    assert frames.load_requests["level_id"].value_counts().to_dict() == {
        first["level_id"]: 1,
        second["level_id"]: 2,
    }
    assert frames.runs["kind"].tolist() == [RunKind.LOAD]
    assert frames.samples.empty


def test_a_batch_is_on_disk_when_record_returns_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "polystack.sqlite"
    recorder = LoadRunRecorder(Store(path), study(), {})
    recorder.begin(condition())
    recorder.begin_level(closed(), None)
    recorder.record(finished([FakeRequest(), FakeRequest()]))
    with pytest.raises(StoreError):
        recorder.record(finished([FakeRequest(), FakeRequest()], first=1))  # number 1 is there
    with Store(path) as reader:
        assert len(read_frames(reader).load_requests) == 2
        assert np.isnan(read_frames(reader).load_levels["ended_ns"].iloc[0])


def test_requests_belong_to_a_level_that_has_begun(store: Store) -> None:
    with LoadRunRecorder(store, study(), {}) as recorder:
        recorder.begin(condition())
        recorder.begin_level(closed(), None)
        recorder.finish(peak_memory_bytes=None, error="it died")
        with pytest.raises(AssertionError, match="before begin_level"):
            recorder.record(finished([FakeRequest()]))


def test_a_list_of_runs_needs_no_stamps(store: Store) -> None:
    with LoadRunRecorder(store, study(), {}) as recorder:
        keep(recorder, [FakeRequest(), FakeRequest(error_kind="timeout")])
    rows = read_frames(store, only_outcomes=True).load_requests
    assert rows["error_kind"].tolist() == ["", "timeout"]
    assert "chunk_ns" not in rows


def test_a_comparison_has_no_levels_and_keeps_what_the_clock_costs(store: Store) -> None:
    with RunRecorder(store, study(), {}) as recorder:
        recorder.begin(replace(condition(), client_error=client_error(), callback_cost_ns=810.0))
        recorder.record(sample(1, generation()))
    frames = read_frames(store)
    assert frames.load_levels.empty
    assert frames.load_requests.empty
    assert {"level_id", "chunk_ns", "stack"} <= set(frames.load_requests)
    row = frames.conditions.iloc[0]
    assert row["client_error"] == asdict(client_error())
    assert (row["callback_cost_ns"], row["slots"]) == (810.0, 1)


def test_a_file_of_the_first_version_is_migrated_and_a_copy_kept(tmp_path: Path) -> None:
    path = tmp_path / "polystack.sqlite"
    connection = sqlite3.connect(path)
    with connection:
        MIGRATIONS[0](connection)
        connection.execute("PRAGMA user_version = 1")
        connection.execute(
            "INSERT INTO runs VALUES (1, 'old', '2026-01-01T00:00:00+00:00', 'complete', '{}',"
            " '{}', '0.1')"
        )
        connection.execute(
            "INSERT INTO conditions VALUES (1, 1, 'x', 'X', 'C++', 'embedded', '1', '{}', 'm',"
            " 'M', 0, 'ab', 'bf16', 'cpu', 2, 512, 'raw', 'greedy', 'unique', 1.5, 9, '')"
        )
    connection.close()
    with Store(path) as store:
        frames = read_frames(store)
        (version,) = store.connection.execute("PRAGMA user_version").fetchone()
    assert version == SCHEMA_VERSION
    assert frames.runs["kind"].tolist() == [RunKind.COMPARISON]
    row = frames.conditions.iloc[0]
    assert row["client_error"] is None
    assert np.isnan(row["callback_cost_ns"])
    assert row["slots"] == 1
    assert frames.load_requests.empty
    with sqlite3.connect(tmp_path / "polystack.v1.sqlite") as copy:
        assert copy.execute("PRAGMA user_version").fetchone() == (1,)
        assert copy.execute("SELECT study FROM runs").fetchone() == ("old",)
    copy.close()

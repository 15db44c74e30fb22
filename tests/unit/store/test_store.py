"""The store keeps every sample as it was given, refuses what it cannot read, loses nothing."""

import sqlite3
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from python_runner.common.checkup import State
from python_runner.common.errors import StoreError, UnknownNameError
from python_runner.common.locations import RESULTS_VARIABLE
from python_runner.engines.contract import Generation, StopReason
from python_runner.measure import Condition, Sample
from python_runner.store import RunRecorder, Store, read_frames
from python_runner.store.arrays import pack, unpack
from python_runner.store.checkup import StoreCheckup
from python_runner.study import Study
from tests.unit.builders import condition, generation, sample, study

int64 = st.integers(-(2**63), 2**63 - 1)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "polystack.sqlite")


@given(st.lists(int64).map(tuple))
def test_arrays_survive(values: tuple[int, ...]) -> None:
    assert tuple(unpack(pack(values)).tolist()) == values


def record(store: Store, *samples: Sample, plan: Study | None = None) -> int:
    with RunRecorder(store, plan or study(), {"cpu": "test"}) as recorder:
        recorder.begin(condition())
        for one in samples:
            recorder.record(one)
        recorder.finish(peak_memory_bytes=123, error="")
    return recorder.run_id


def test_a_sample_comes_back_as_it_went_in(store: Store) -> None:
    answer = generation(tokens=3, start_ns=10**12)
    run_id = record(store, sample(1, answer))
    row = read_frames(store, [run_id]).samples.iloc[0]
    assert tuple(row["chunk_ns"]) == answer.chunk_ns
    assert tuple(row["chunk_tokens"]) == answer.chunk_tokens
    assert tuple(row["token_ids"]) == answer.token_ids
    assert (row["requested_ns"], row["ended_ns"]) == (answer.requested_ns, answer.ended_ns)
    assert row["text"] == answer.text
    assert row["stop"] == "length"
    assert row["engine_timings"] == {"eval_ms": 1.5}
    assert row["resources"] == {"cpu_s": 0.25}
    assert row["stack"] == "mock"
    assert row["error"] == ""


@given(
    start=st.integers(0, 2**60),
    gaps=st.lists(st.integers(0, 10**9), min_size=1, max_size=50),
    text=st.text(),
    error=st.text(),
)
def test_any_sample_comes_back(start: int, gaps: list[int], text: str, error: str) -> None:
    stamps = tuple(start + int(total) for total in np.cumsum(gaps))
    answer = Generation(
        requested_ns=start,
        chunk_ns=stamps,
        chunk_tokens=(1,) * len(stamps),
        ended_ns=stamps[-1],
        prompt_tokens=1,
        output_tokens=len(stamps),
        stop=StopReason.END_OF_SEQUENCE,
        text=text,
        token_ids=None,
    )
    with Store(Path(":memory:")) as store:
        run_id = record(store, sample(1, answer, error=error))
        row = read_frames(store, [run_id]).samples.iloc[0]
    assert tuple(row["chunk_ns"]) == stamps
    assert (row["text"], row["error"]) == (text, error)
    assert row["token_ids"] is None


def test_a_failure_is_a_row(store: Store) -> None:
    run_id = record(store, sample(1, None, error="engine is gone"))
    row = read_frames(store, [run_id]).samples.iloc[0]
    assert row["error"] == "engine is gone"
    assert row["output_tokens"] == 0
    assert len(row["chunk_ns"]) == 0


def test_each_sample_is_on_disk_when_record_returns(tmp_path: Path) -> None:
    path = tmp_path / "polystack.sqlite"
    recorder = RunRecorder(Store(path), study(), {})
    recorder.begin(condition())
    for number in (1, 2, 3):
        recorder.record(sample(number, generation()))
        with Store(path) as reader:
            assert len(read_frames(reader).samples) == number


def test_an_interrupted_run_says_so_and_keeps_its_samples(store: Store) -> None:
    def press_ctrl_c() -> None:
        with RunRecorder(store, study(), {}) as recorder:
            recorder.begin(condition())
            recorder.record(sample(1, generation()))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        press_ctrl_c()
    frames = read_frames(store)
    assert list(frames.runs["status"]) == ["interrupted"]
    assert len(frames.samples) == 1


def test_a_condition_holds_what_may_explain_a_difference(store: Store) -> None:
    run_id = record(store)
    row = read_frames(store, [run_id]).conditions.iloc[0]
    given_condition: Condition = condition()
    assert row["build"] == dict(given_condition.build)
    assert row["version"] == given_condition.version
    assert bool(row["is_synthetic"]) is True
    assert row["peak_memory_bytes"] == 123


def test_runs_are_found_by_number_or_as_the_latest(store: Store) -> None:
    first, second = record(store), record(store)
    assert store.find_run(str(first)) == first
    assert store.find_run("latest") == second
    with pytest.raises(UnknownNameError, match="unknown run '99'"):
        store.find_run("99")


def test_a_missing_store_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no results") as caught:
        Store(tmp_path / "none.sqlite", create=False)
    assert "polystack compare" in caught.value.hint


def test_a_newer_store_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "polystack.sqlite"
    Store(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StoreError, match="newer polystack"):
        Store(path)


@pytest.mark.parametrize("content", [b"not a database" * 100, b"\x00" * 5000])
def test_a_file_that_is_no_store_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "polystack.sqlite"
    path.write_bytes(content)
    with pytest.raises(StoreError):
        Store(path)
    assert path.read_bytes() == content


def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "polystack.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    with pytest.raises(StoreError, match="not a polystack store"):
        Store(path)


def test_a_results_folder_that_is_a_file_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = tmp_path / "results"
    taken.touch()
    monkeypatch.setenv(RESULTS_VARIABLE, str(taken))
    (finding,) = StoreCheckup().look()
    assert (finding.state, finding.detail) == (State.MISSING, f"{taken} is a file")
    for path in (taken / "polystack.sqlite", taken / "more" / "polystack.sqlite"):
        for create in (True, False):
            with pytest.raises(StoreError, match="results is a file, and results need a folder"):
                Store(path, create=create)

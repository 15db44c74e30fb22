"""Attempts that failed are kept and read, and older stores get their place."""

from pathlib import Path

from python_runner.measure import FailedAttempt
from python_runner.store import RunRecorder, Store, read_frames
from tests.unit.builders import condition, generation, sample, study


def attempt(stack: str, iteration: int | None) -> FailedAttempt:
    return FailedAttempt(
        stack=stack,
        block=1,
        iteration=iteration,
        is_warmup=False,
        attempt=1,
        error="boom",
        began_ns=5,
        ended_ns=9,
    )


def test_each_is_kept_with_its_stack(tmp_path: Path) -> None:
    with Store(tmp_path / "polystack.sqlite") as store:
        with RunRecorder(store, study(), {}) as recorder:
            recorder.keep_attempts([attempt("mock", None)])
            recorder.begin(condition())
            recorder.keep_attempt(attempt("mock", 3))
            recorder.keep_attempt(attempt("another", 3))
            recorder.record(sample(3, generation()))
            recorder.finish(peak_memory_bytes=None, error="")
        frames = read_frames(store)
    (row,) = frames.conditions.to_dict(orient="records")
    assert [each["iteration"] for each in row["failed_attempts"]] == [None, 3]
    assert row["failed_attempts"][1] == {
        "block": 1,
        "iteration": 3,
        "is_warmup": False,
        "attempt": 1,
        "error": "boom",
        "began_ns": 5,
        "ended_ns": 9,
    }
    assert list(frames.samples["attempt"]) == [1]

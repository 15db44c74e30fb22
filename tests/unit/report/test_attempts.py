"""What needed more than one attempt is told in one line, and is in what machines read."""

from __future__ import annotations

import pandas as pd

from python_runner.analyse.attempts import tidy_attempts
from python_runner.report.words.attempts import attempt_notes
from tests.golden.frames import FOUR, build_frames


def failed(iteration: int | None, attempt: int, error: str) -> dict[str, object]:
    times = {"began_ns": 1, "ended_ns": 2}
    place = {"block": 1, "iteration": iteration, "is_warmup": False}
    return {**place, "attempt": attempt, "error": error, **times}


def told(
    attempts: list[dict[str, object]], counts: dict[int, int]
) -> tuple[pd.DataFrame, list[str]]:
    """Conditions, and what is said, if the first stack had these failed attempts."""
    samples, conditions, _ = build_frames(FOUR)
    first = conditions["condition_id"].iloc[0]
    mine = (samples["condition_id"] == first) & ~samples["is_warmup"]
    again = samples["iteration"].map(counts).where(mine).fillna(1).astype(int)
    lists = pd.Series([attempts, *[[]] * (len(conditions) - 1)], dtype=object)
    conditions = conditions.assign(failed_attempts=lists)
    notes = attempt_notes(samples.assign(attempt=again), conditions)
    return conditions, [f"{said} ({reason})" for said, reason in notes]


def test_requests_and_starts_are_counted() -> None:
    crashes = [failed(3, 1, "SIGSEGV"), failed(7, 1, "late"), failed(None, 1, "no port")]
    _, said = told(crashes, {3: 2, 7: 2})
    assert said == [
        "llama.cpp: 2 of 12 requests needed a second attempt; 1 failed start made again (SIGSEGV)"
    ]


def test_a_new_start_after_a_sleep_is_no_further_attempt() -> None:
    _, said = told([failed(3, 1, "late"), failed(7, 1, "SIGSEGV")], {7: 2})
    assert said == [
        "llama.cpp: 1 of 12 requests needed a second attempt; started anew once, after a request "
        "that ran out of time while nothing ran (late)"
    ]


def test_more_than_two_attempts_are_said() -> None:
    _, said = told([failed(3, 1, "SIGSEGV"), failed(3, 2, "SIGILL")], {3: 3})
    assert said == ["llama.cpp: 1 of 12 requests needed up to 3 attempts (SIGSEGV)"]


def test_a_run_without_any_says_nothing() -> None:
    conditions, said = told([], {})
    assert said == []
    assert tidy_attempts(conditions).empty


def test_a_table_has_a_row_for_each() -> None:
    conditions, _ = told([failed(3, 1, "SIGSEGV"), failed(None, 1, "no port")], {3: 2})
    rows = tidy_attempts(conditions)
    assert list(rows["stack"].unique()) == ["llama.cpp"]
    assert rows["iteration"].isna().tolist() == [False, True]

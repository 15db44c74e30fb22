"""What is said of a run that was measured in parts."""

from __future__ import annotations

from typing import Any

from python_runner.report.words.resumed import resumed_words

ONCE: dict[str, Any] = {
    "at": "2026-11-21T21:40:00+00:00",
    "last_seen": "2026-11-21T21:10:00+00:00",
    "cut": [2],
    "again": {},
}


def words(*times: dict[str, Any], kind: str = "comparison") -> str:
    return " ".join(resumed_words({"kind": kind, "resumed": list(times)}))


def test_a_run_in_one_piece_has_no_words() -> None:
    assert words() == ""
    assert list(resumed_words({"kind": "load"})) == []


def test_how_long_it_lay_and_what_was_cut() -> None:
    found = words(ONCE)
    assert "Measured in 2 parts" in found
    assert "on 2026-11-21 at 21:40 UTC (at most 30 min later)" in found
    assert "block 2 lies on both sides of a pause, all others are of one part" in found


def test_where_no_block_was_cut_that_is_said() -> None:
    assert "no block was cut" in words({**ONCE, "cut": []})
    assert "no level was cut" in words({**ONCE, "cut": []}, kind="load")


def test_a_cut_level_was_made_again() -> None:
    assert "(level 2) was made again whole" in words(ONCE, kind="load")


def test_a_clock_that_was_set_back_gives_no_time() -> None:
    found = words({**ONCE, "last_seen": "2027-01-01T00:00:00+00:00"})
    assert "later" not in found
    assert "later" not in words({**ONCE, "last_seen": None})


def test_every_time_is_told_and_what_was_tried_again() -> None:
    second = {**ONCE, "at": "2026-11-22T08:00:00+00:00", "cut": [4], "again": {"ollama": "died"}}
    found = words(ONCE, second)
    assert "Measured in 3 parts" in found
    assert "on 2026-11-22 at 08:00 UTC" in found
    assert "blocks 2, 4 lie" in found
    assert "Tried again after an error, and not beside the others: ollama." in found

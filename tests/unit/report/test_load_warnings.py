"""Warnings of levels: said once where many have the same."""

from typing import Any

import pandas as pd
import pytest

from python_runner.report.load_warnings import (
    at_once_warnings,
    over_slots_warnings,
    own_warnings,
    refused_warnings,
)

BUSY = (
    "something else keeps this machine busy: at times it stood still for about {} ms. Close other "
    "programs; what follows has tails that are not the engine's."
)


def level(title: str, users: int, warning: str = "", at_once: int = 0) -> dict[str, Any]:
    return {
        "title": title,
        "arrivals": "closed",
        "users": users,
        "client_error": {"warning": warning},
        "n_at_once": at_once,
        "n_answers": 10,
    }


def test_a_busy_machine_is_told_once_with_its_longest_stop() -> None:
    levels = [
        level("A", 1, BUSY.format("5.04")),
        level("A", 10),
        level("B", 1, BUSY.format("22.6")),
        level("B", 10, "TTFT is off"),
    ]
    told = list(own_warnings(pd.DataFrame(levels)))
    assert told == [
        "B, 10 users: TTFT is off",
        "Something else keeps this machine busy at 1 user (A); 1 user (B): at times it stood still "
        "for up to 22.6 ms. Close other programs; what follows has tails that are not the "
        "engine's.",
    ]


def test_one_busy_level_is_told_as_it_is() -> None:
    (told,) = own_warnings(pd.DataFrame([level("A", 1, BUSY.format("5.04")), level("A", 10)]))
    assert told == f"A, 1 user: {BUSY.format('5.04')}"


def test_answers_that_came_at_once_are_told_once_a_stack() -> None:
    levels = [level("A", 1, at_once=3), level("A", 10, at_once=4), level("B", 1)]
    (told,) = at_once_warnings(pd.DataFrame(levels))
    assert told.startswith("A, 1, 10 users: 7 of 20 answers came at once")


def test_no_level_has_no_warning() -> None:
    empty = pd.DataFrame([level("A", 1)]).iloc[:0]
    assert list(own_warnings(empty)) == list(at_once_warnings(empty)) == []


def test_a_server_that_gives_more_answers_at_once_than_it_may_is_named() -> None:
    levels = [
        {**level("A", 10), "condition_id": 1, "decoding_at_once": 8.9},
        {**level("A", 50), "condition_id": 1, "decoding_at_once": 22.6},
        {**level("B", 50), "condition_id": 2, "decoding_at_once": float("nan")},
    ]
    conditions = pd.DataFrame({"condition_id": [1, 2], "slots": [8, 8]})
    assert list(over_slots_warnings(pd.DataFrame(levels), conditions)) == [
        "A, 50 users: it gave up to 23 answers at once (the mean over the steady part) where it "
        "was allowed 8. Its figures there are not on equal terms."
    ]


def refusals(**changes: Any) -> str:
    """What is said of 40 requests of which 12 were refused, one timed out, and 27 were served."""
    counted = {"level_id": 1, "requests": 40.0, "n_requests": 40, "n_failed": 13}
    levels = pd.DataFrame([{**level("A", 4), **counted, **changes}])
    rows = [(1, "status", 429, 8), (1, "connect", 0, 4), (1, "timeout", 0, 1), (2, "connect", 0, 9)]
    errors = pd.DataFrame(rows, columns=["level_id", "kind", "status", "count"])
    return " ".join(refused_warnings(levels, errors))


def test_refusals_that_took_part_of_the_count_are_told_with_what_is_left() -> None:
    told = refusals()
    assert told.startswith("A, 4 users: 12 of 40 requests were refused")
    assert "27 are left that were served" in told
    assert "--duration" in told


@pytest.mark.parametrize(
    "changes",
    [
        {"requests": float("nan")},
        {"users": 1},
        {"arrivals": "poisson"},
        {"n_failed": 40},
        {"level_id": 3},
    ],
    ids=["a time ends it", "one user", "open loop", "nobody was served", "no refusal"],
)
def test_where_nobody_lost_a_request_to_another_nothing_is_said(changes: dict[str, Any]) -> None:
    assert refusals(**changes) == ""

"""How much would have to change before the first place changes."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from python_runner.analyse.decision.score import Utilities, order_of, total_of
from python_runner.analyse.decision.sensitivity import (
    deciding_criteria,
    needed_latency,
    weight_turns,
)
from tests.unit.analyse.decision.builders import points

FAST_OR_KNOWN = {
    "fast": points(people=0.2, e2e=0.9, memory=0.5),
    "known": points(people=0.8, e2e=0.5, memory=0.5),
}
WEIGHTS = {"people": 2.0, "e2e": 1.0, "memory": 1.0}


def first(stacks: dict[str, Utilities], weights: dict[str, float]) -> str:
    totals = {name: total_of(mine, weights) for name, mine in stacks.items()}
    return order_of(totals, {name: [] for name in stacks})[0]


def test_a_weight_that_falls_far_enough_turns_the_answer() -> None:
    turns = {one.criterion: one for one in weight_turns(FAST_OR_KNOWN, WEIGHTS, "known")}
    people = turns["people"]
    assert people.below is not None
    assert people.below.stack == "fast"
    assert people.below.weight == pytest.approx(0.4 / 0.6)
    assert people.above is None
    assert people.without == "fast"


def test_a_weight_that_rises_far_enough_does_too() -> None:
    turns = {one.criterion: one for one in weight_turns(FAST_OR_KNOWN, WEIGHTS, "known")}
    e2e = turns["e2e"]
    assert e2e.below is None
    assert e2e.above is not None
    assert e2e.above.weight == pytest.approx(1.2 / 0.4)
    assert e2e.without == "known"


def test_what_does_not_tell_them_apart_is_left_out() -> None:
    keys = [one.criterion for one in weight_turns(FAST_OR_KNOWN, WEIGHTS, "known")]
    assert keys == ["people", "e2e"]


def test_the_criterion_that_decides_is_named() -> None:
    turns = weight_turns(FAST_OR_KNOWN, WEIGHTS, "known")
    assert [one.criterion for one in deciding_criteria(turns, "known")] == ["people"]


def test_a_lone_weight_has_no_rest() -> None:
    turns = weight_turns(FAST_OR_KNOWN, {"people": 1.0, "e2e": 0.0, "memory": 0.0}, "known")
    assert {one.criterion: one.without for one in turns}["people"] == "known"


SHARES = st.floats(min_value=0, max_value=1)
ALL = st.fixed_dictionaries(dict.fromkeys("abc", SHARES)).map(lambda given: points(**given))
POSITIVE = st.fixed_dictionaries({key: st.floats(min_value=0.1, max_value=10) for key in "abc"})


@given(st.fixed_dictionaries(dict.fromkeys("pqr", ALL)), POSITIVE)
def test_turns_are_where_the_first_place_changes(
    stacks: dict[str, Utilities], weights: dict[str, float]
) -> None:
    now = first(stacks, weights)
    for one in weight_turns(stacks, weights, now):
        for turn, beyond, before in (
            (one.below, -1e-6, 1e-6),
            (one.above, 1e-6, -1e-6),
        ):
            if turn is None or turn.weight + beyond < 0 or turn.weight > 1e6:
                continue
            scale = 1 + turn.weight
            moved = {**weights, one.criterion: turn.weight + beyond * scale}
            kept = {**weights, one.criterion: max(0.0, turn.weight + before * scale)}
            lead = _lead(stacks, moved, now, turn.stack)
            assert lead <= 1e-9
            assert all(_lead(stacks, kept, now, other) >= -1e-9 for other in stacks)


def _lead(stacks: dict[str, Utilities], weights: dict[str, float], one: str, other: str) -> float:
    return total_of(stacks[one], weights).point - total_of(stacks[other], weights).point


def test_the_latency_that_is_needed_is_found() -> None:
    assert needed_latency(100, lambda value: value < 40) == pytest.approx(40)
    assert math.isnan(needed_latency(100, lambda _value: False))

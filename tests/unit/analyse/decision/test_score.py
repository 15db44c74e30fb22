"""Totals, ranks and dominance, by their properties."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from python_runner.analyse.decision.figures import Figure
from python_runner.analyse.decision.scale import Direction, ratio_scale
from python_runner.analyse.decision.score import (
    UNKNOWN,
    Rank,
    Total,
    Utilities,
    Utility,
    dominated_by,
    order_of,
    ranks_of,
    total_of,
    utility_of,
)
from tests.unit.analyse.decision.builders import points

KEYS = ("a", "b", "c")
SHARES = st.floats(min_value=0, max_value=1)
WEIGHTS = st.fixed_dictionaries(
    {key: st.floats(min_value=0, max_value=100) for key in KEYS}
).filter(lambda given: sum(given.values()) > 1e-3)


@st.composite
def utility(draw: st.DrawFn) -> Utility:
    if draw(st.booleans()) and draw(st.booleans()):
        return UNKNOWN
    low, point, high = sorted(draw(st.tuples(SHARES, SHARES, SHARES)))
    return Utility(low=low, point=point, high=high)


UTILITIES = st.fixed_dictionaries({key: utility() for key in KEYS})
STACKS = st.dictionaries(st.sampled_from("pqrst"), UTILITIES, min_size=2)


@given(UTILITIES, WEIGHTS)
def test_a_total_lies_within_its_range_and_that_within_one(
    utilities: Utilities, weights: dict[str, float]
) -> None:
    total = total_of(utilities, weights)
    assert -1e-9 <= total.low <= total.point + 1e-9
    assert total.point - 1e-9 <= total.high <= 1 + 1e-9


@given(UTILITIES, WEIGHTS, st.sampled_from(KEYS), SHARES)
def test_a_total_grows_with_each_utility(
    utilities: dict[str, Utility], weights: dict[str, float], key: str, more: float
) -> None:
    point = max(utilities[key].point, more)
    better = Utility(low=utilities[key].low, point=point, high=max(utilities[key].high, point))
    before, after = (
        total_of(utilities, weights),
        total_of({**utilities, key: better}, weights),
    )
    assert after.point >= before.point - 1e-9
    assert after.high >= before.high - 1e-9


@given(UTILITIES, WEIGHTS, st.floats(min_value=1e-3, max_value=1e3))
def test_only_the_ratio_of_weights_counts(
    utilities: Utilities, weights: dict[str, float], factor: float
) -> None:
    plain = total_of(utilities, weights)
    scaled = total_of(utilities, {key: weight * factor for key, weight in weights.items()})
    for end in ("low", "point", "high"):
        assert getattr(scaled, end) == pytest.approx(getattr(plain, end), abs=1e-9)


@given(UTILITIES, WEIGHTS, st.sampled_from(KEYS))
def test_not_knowing_widens_and_never_counts_as_zero(
    utilities: dict[str, Utility], weights: dict[str, float], key: str
) -> None:
    known, unknown = (
        total_of(utilities, weights),
        total_of({**utilities, key: UNKNOWN}, weights),
    )
    worst = total_of({**utilities, key: points(x=0)["x"]}, weights)
    assert unknown.low <= known.low + 1e-9
    assert unknown.high >= known.high - 1e-9
    share = weights[key] / sum(weights.values())
    assert unknown.point == pytest.approx(worst.point + share / 2, abs=1e-9)
    assert unknown.high == pytest.approx(worst.high + share, abs=1e-9)


@given(STACKS, WEIGHTS)
def test_what_is_dominated_is_never_first(
    stacks: dict[str, Utilities], weights: dict[str, float]
) -> None:
    dominated = dominated_by(stacks, KEYS)
    totals = {name: total_of(mine, weights) for name, mine in stacks.items()}
    assert not dominated[order_of(totals, dominated)[0]]


@given(STACKS, WEIGHTS)
def test_a_place_that_is_known_holds_wherever_the_values_lie(
    stacks: dict[str, Utilities], weights: dict[str, float]
) -> None:
    totals = {name: total_of(mine, weights) for name, mine in stacks.items()}
    ranks = ranks_of(totals)
    for before, behind in permutations(stacks, 2):
        if ranks[before].worst < ranks[behind].best:
            assert totals[before].low > totals[behind].high


def test_ranges_that_touch_are_not_told_apart() -> None:
    totals = {
        "a": Total(low=0.6, point=0.7, high=0.8),
        "b": Total(low=0.4, point=0.5, high=0.6),
        "c": Total(low=0.1, point=0.2, high=0.3),
    }
    assert ranks_of(totals) == {
        "a": Rank(best=1, worst=2),
        "b": Rank(best=1, worst=2),
        "c": Rank(best=3, worst=3),
    }


def test_equals_come_in_the_order_of_their_names() -> None:
    totals = {name: total_of(points(a=0.3, b=0.3), {"a": 1, "b": 2}) for name in ("z", "y")}
    assert order_of(totals, {"z": [], "y": []}) == ["y", "z"]
    assert order_of(totals, {"z": [], "y": ["z"]}) == ["z", "y"]


def test_whoever_is_nowhere_better_is_dominated() -> None:
    stacks = {
        "good": points(a=0.9, b=0.5),
        "bad": points(a=0.2, b=0.5),
        "other": points(a=0.1, b=0.6),
    }
    assert dominated_by(stacks, ["a", "b"]) == {"good": [], "bad": ["good"], "other": []}


def test_what_is_known_of_one_only_decides_nothing() -> None:
    stacks = {"good": {**points(a=0.9), "b": UNKNOWN}, "bad": points(a=0.2, b=0.0)}
    assert dominated_by(stacks, ["a", "b"])["bad"] == []
    both = {name: {**mine, "b": UNKNOWN} for name, mine in stacks.items()}
    assert dominated_by(both, ["a", "b"])["bad"] == ["good"]


def test_within_the_intervals_nobody_dominates() -> None:
    near = {
        "one": {"a": Utility(low=0.4, point=0.5, high=0.6)},
        "two": {"a": Utility(low=0.35, point=0.45, high=0.55)},
    }
    assert dominated_by(near, ["a"]) == {"one": [], "two": []}


def test_an_interval_widens_what_a_figure_is_worth() -> None:
    scale = ratio_scale(Direction.LOWER, 10, values=[10.0])
    figure = Figure(value=20, low=15, high=30, unit="ms")
    found = utility_of(figure, scale)
    assert found.low < found.point < found.high
    assert utility_of(Figure.unknown("ms", "why"), scale) is UNKNOWN
    assert utility_of(figure, None) is UNKNOWN

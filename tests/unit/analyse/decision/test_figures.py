"""What is known of a stack, and figures that are made of it."""

import math
from collections.abc import Mapping

import pytest

from python_runner.analyse.decision.figures import StackFigures, stacks_of
from python_runner.analyse.decision.measures import first_token, whole_answer
from tests.unit.analyse.decision.builders import NO_CATALOGUE, Values, frame, team


def stack(figures: Mapping[str, Values]) -> StackFigures:
    return stacks_of(frame(go_served=figures), NO_CATALOGUE)[0]


def test_a_level_counts_as_it_is_and_between_two_it_lies_between() -> None:
    loaded = stack({"ttft_p95_ms@2": 100.0, "ttft_p95_ms@8": (400.0, 300.0, 500.0)})
    assert loaded.at_users("ttft_p95_ms", 2, "ms").value == 100
    between = loaded.at_users("ttft_p95_ms", 4, "ms")
    assert (between.low, between.high) == (100, 500)
    assert between.low < between.value < between.high
    assert "between the levels of 2 and 8" in between.note


def test_beyond_the_outermost_level_nothing_is_known() -> None:
    found = stack({"ttft_p95_ms@2": 100.0}).at_users("ttft_p95_ms", 4, "ms")
    assert not found.is_known
    assert found.why_unknown == "measured at 2 users, not at 4"


def test_a_level_that_failed_says_why() -> None:
    found = stack({"ttft_p95_ms@4": None}).at_users("ttft_p95_ms", 4, "ms")
    assert found.why_unknown == "nobody looked"


def test_the_first_known_figure_counts() -> None:
    twice = frame(go={"e2e_ms": None})
    both = frame(go={"e2e_ms": 5.0})
    import pandas as pd

    (found,) = stacks_of(pd.concat([twice, both, frame(go={"e2e_ms": 7.0})]), NO_CATALOGUE)
    assert found.figure("e2e_ms", "ms").value == 5


def test_without_an_interval_the_value_is_its_own_end() -> None:
    found = stack({"ttft_ms": 5.0}).figure("ttft_ms", "ms")
    assert (found.low, found.high) == (5, 5)


def test_a_longer_prompt_lies_between_as_measured_and_in_proportion() -> None:
    measured = stack({"ttft_ms": (100.0, 90.0, 110.0), "prompt_tokens": 50.0})
    found = first_token(measured, team(serves={"prompt_tokens": 200}))
    assert (found.low, found.high) == (90, 440)
    assert found.value == pytest.approx(200)
    assert "measured with 50 prompt tokens" in found.note
    shorter = first_token(measured, team(serves={"prompt_tokens": 25}))
    assert (shorter.low, shorter.high) == (45, 110)
    assert first_token(measured, team(serves={"prompt_tokens": 50})).note == ""


def test_a_longer_answer_is_computed_and_says_so() -> None:
    measured = stack(
        {"ttft_ms": 100.0, "tpot_ms": (10.0, 9.0, 12.0), "e2e_ms": 250.0, "new_tokens": 16.0}
    )
    found = whole_answer(measured, team(serves={"new_tokens": 101}))
    assert (found.value, found.low, found.high) == (1100, 1000, 1300)
    assert "computed" in found.note
    assert whole_answer(measured, team(serves={"new_tokens": 16})).value == 250
    assert whole_answer(measured, team()).value == 250


def test_a_longer_prompt_reaches_the_whole_answer() -> None:
    measured = stack(
        {
            "ttft_ms": 100.0,
            "tpot_ms": 10.0,
            "e2e_ms": 250.0,
            "new_tokens": 16.0,
            "prompt_tokens": 50.0,
        }
    )
    found = whole_answer(measured, team(serves={"new_tokens": 16, "prompt_tokens": 200}))
    assert (found.low, found.high) == (250, 550)


def test_without_a_token_time_a_longer_answer_is_not_known() -> None:
    found = whole_answer(stack({"ttft_ms": 1.0, "e2e_ms": 2.0}), team(serves={"new_tokens": 99}))
    assert not found.is_known
    assert math.isnan(found.value)

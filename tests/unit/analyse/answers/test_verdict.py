"""What is struck out, and what is a near-tie."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from python_runner.analyse.answers import AnswerVerdict, judge_answers, with_answers
from python_runner.analyse.answers.limits import NEAR_TIE, limits_for
from python_runner.store import AnswerFrames
from tests.unit.analyse.answers.builders import NAN, TOKENS, answer, frames


def only(found: AnswerFrames) -> dict[Any, Any]:
    (row,) = judge_answers(found).to_dict(orient="records")
    return row


def off_at(*places: float) -> list[float]:
    """An answer of `TOKENS` tokens, the first of which are so far off."""
    return [*places, *[0.0] * (TOKENS - len(places))]


def test_an_answer_like_the_references_is_right() -> None:
    row = only(frames([answer(1)]))
    assert (row["verdict"], row["reason"]) == (AnswerVerdict.RIGHT, "")
    assert (row["best_share"], row["equal_share"], row["diverging"]) == (1.0, 1.0, 0)


def test_a_near_tie_is_no_error_whatever_follows_it() -> None:
    row = only(frames([answer(1, off_at(0.0, 0.1))]))
    assert row["verdict"] == AnswerVerdict.RIGHT
    assert (row["near_ties"], row["far_tokens"], row["diverging"]) == (1, 0, 1)
    assert row["best_share"] == (TOKENS - 1) / TOKENS
    assert row["equal_share"] == 1 / TOKENS, "free-running, all that follows is another answer"


def test_one_token_beyond_a_near_tie_is_wrong_in_16_bits() -> None:
    row = only(frames([answer(1), answer(1, off_at(2 * NEAR_TIE), iteration=2)]))
    assert row["verdict"] == AnswerVerdict.WRONG
    assert "1 of 48 tokens" in row["reason"]
    assert "1 nats" in row["reason"]


def test_in_fewer_bits_one_such_token_is_none() -> None:
    row = only(frames([answer(1, off_at(2 * NEAR_TIE))], bits=8))
    assert row["verdict"] == AnswerVerdict.RIGHT


@pytest.mark.parametrize("bits", [16, 8, 4])
def test_answers_of_another_model_are_wrong_in_any_number_of_bits(bits: float) -> None:
    row = only(frames([answer(1, [9.0] * TOKENS)], bits=bits))
    assert row["verdict"] == AnswerVerdict.WRONG


def test_many_near_ties_are_wrong_where_there_are_enough_tokens_to_tell() -> None:
    often = [0.1, 0.0] * (TOKENS // 2)
    few = [answer(1, often, iteration=number) for number in range(2)]
    many = [answer(1, often, iteration=number) for number in range(8)]
    assert only(frames(few))["verdict"] == AnswerVerdict.RIGHT
    row = only(frames(many))
    assert row["verdict"] == AnswerVerdict.WRONG
    assert "on average" in row["reason"]


@pytest.mark.parametrize(
    ("bits", "offset", "verdict"),
    [(16, 0.1, "right"), (16, 0.5, "wrong"), (8, 0.15, "right"), (8, 0.9, "wrong")],
)
def test_log_probabilities_on_the_fixed_text_are_judged(
    bits: float, offset: float, verdict: str
) -> None:
    own = np.linspace(-9, -1, 128)
    off = own + offset * np.where(np.arange(128) % 2, 1, -1)
    row = only(frames([answer(1)], bits=bits, passages={None: own, 1: off}))
    assert row["mean_difference"] == pytest.approx(offset)
    assert row["perplexity_ratio"] == pytest.approx(1)
    assert row["verdict"] == verdict


def test_perplexity_is_judged_over_the_references() -> None:
    own = np.full(128, -3.0)
    row = only(frames([answer(1)], bits=8, passages={None: own, 1: own - 0.3}))
    assert row["perplexity"] == pytest.approx(np.exp(3.3))
    assert row["perplexity_ratio"] == pytest.approx(np.exp(0.3))
    assert row["verdict"] == AnswerVerdict.WRONG
    assert "perplexity" in row["reason"]


def test_a_text_that_is_cut_otherwise_is_judged_as_a_whole_only() -> None:
    unlikely = off_at(6.0, 6.0)
    row = only(frames([answer(1), answer(1, unlikely, iteration=2, tokens_from="cut otherwise")]))
    assert row["verdict"] == AnswerVerdict.RIGHT
    assert (row["tokens"], row["cut_otherwise"]) == (TOKENS, 1)
    row = only(frames([answer(1, [9.0] * TOKENS, tokens_from="cut otherwise")]))
    assert row["verdict"] == AnswerVerdict.WRONG
    assert "however they are cut" in row["reason"]


def test_in_four_bits_a_text_that_is_cut_otherwise_is_not_compared() -> None:
    cut = answer(1, [9.0] * TOKENS, tokens_from="cut otherwise")
    row = only(frames([cut], bits=4))
    assert row["verdict"] == AnswerVerdict.NOT_COMPARED
    assert "cut wrongly" in row["reason"]


def test_what_was_not_compared_is_not_right() -> None:
    row = only(frames([], error="too little memory"))
    assert (row["verdict"], row["reason"]) == (AnswerVerdict.NOT_COMPARED, "too little memory")
    row = only(frames([answer(1, (), tokens_from="", error="no tokens read like this")]))
    assert (row["verdict"], row["unread"]) == (AnswerVerdict.NOT_COMPARED, 1)


def test_unknown_weights_are_judged_like_whole_ones() -> None:
    assert limits_for(NAN) == limits_for(16)
    assert limits_for(32) == limits_for(16)
    assert limits_for(6) == limits_for(4)


def test_conditions_say_which_stacks_are_struck_out() -> None:
    found = frames([answer(1), answer(2, [9.0] * TOKENS)])
    conditions = with_answers(pd.DataFrame({"condition_id": [1, 2, 3]}), found)
    assert conditions["struck"].iloc[0] == conditions["struck"].iloc[2] == ""
    assert "not what the model says" in conditions["struck"].iloc[1]
    assert conditions["answers"].iloc[2] is None
    assert conditions["answers"].iloc[0]["reference"] == "transformers 5"

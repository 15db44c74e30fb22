"""What the reference is asked, and what it makes of answers with ids and of texts."""

from __future__ import annotations

from python_runner.measure.answers.answer import (
    GivenAnswer,
    ScoredAnswer,
    TokensFrom,
    UnreadAnswer,
    Verdictable,
)
from python_runner.measure.answers.referee import Referee
from tests.unit.measure.answers.toys import AB, SPACE, A, B, C, D, ToyReference, ToyTokenizer

PROMPT = "c"
# The reference says "a", "b", " ", "c": two tokens where its tokenizer would cut one, "ab".
RULES = {(): (A, C), (A,): (B, D), (A, B): (SPACE, C), (A, B, SPACE): (C, D)}
OWN = (A, B, SPACE, C)


def told(number: int, *ids: int) -> GivenAnswer:
    return GivenAnswer(sample_id=number, text="", token_ids=ids, tokens=len(ids))


def text(number: int, words: str, tokens: int) -> GivenAnswer:
    return GivenAnswer(sample_id=number, text=words, token_ids=None, tokens=tokens)


def judged(reference: ToyReference, *answers: GivenAnswer) -> list[Verdictable]:
    return list(Referee(reference, ToyTokenizer()).judge(PROMPT, answers))


def scored(found: Verdictable) -> ScoredAnswer:
    assert isinstance(found, ScoredAnswer)
    return found


def test_each_distinct_answer_is_scored_once() -> None:
    reference = ToyReference(RULES)
    found = judged(reference, told(1, *OWN), told(2, *OWN), told(3, A, D, D, D))
    assert [scored(one).sample_id for one in found] == [1, 2, 3]
    assert reference.scored == [OWN, (A, D, D, D)]


def test_where_an_answer_is_the_references_own_nothing_is_generated() -> None:
    reference = ToyReference(RULES)
    found = judged(reference, told(1, *OWN), told(2, A, D, D, D))
    assert [scored(one).greedy_ids for one in found] == [OWN, OWN]
    assert reference.generated == []


def test_what_no_answer_tells_is_generated_from_where_they_part() -> None:
    reference = ToyReference(RULES)
    (found,) = judged(reference, told(1, A, D, D, D))
    assert scored(found).greedy_ids == OWN
    assert reference.generated == [(0, C, A, B)], "prompt, what agrees, and the best token there"


def test_answers_of_several_lengths_have_each_their_own_part() -> None:
    found = judged(ToyReference(RULES), told(1, A, B), told(2, *OWN))
    assert [scored(one).greedy_ids for one in found] == [(A, B), OWN]


def test_a_text_is_cut_like_an_answer_whose_ids_are_known() -> None:
    reference = ToyReference(RULES)
    found = judged(reference, text(1, "ab c", 4), told(2, *OWN))
    read = next(scored(one) for one in found if one.sample_id == 1)
    assert (read.token_ids, read.tokens_from) == (OWN, TokensFrom.SAME_TEXT)
    assert reference.scored == [OWN]


def test_a_text_alone_is_cut_as_the_reference_would_say_it() -> None:
    (found,) = judged(ToyReference(RULES), text(1, "ab c", 4))
    assert scored(found).token_ids == OWN
    assert scored(found).tokens_from is TokensFrom.CUT


def test_a_text_that_leaves_the_references_own_is_cut_with_its_help() -> None:
    # After "c" the reference would say "a", "b" and not "ab", which the tokenizer would take.
    rules = {(): (A, C), (C,): (A, AB), (C, A): (B, D), (A,): (D, B), (A, D): (D,)}
    (found,) = judged(ToyReference(rules), text(1, "cab", 3))
    assert scored(found).token_ids == (C, A, B)
    assert scored(found).tokens_from is TokensFrom.CUT


def test_a_text_of_another_count_is_marked() -> None:
    (found,) = judged(ToyReference(RULES), text(1, "ab c", 3))
    assert scored(found).tokens_from is TokensFrom.CUT_OTHERWISE


def test_an_end_within_a_character_does_not_matter() -> None:
    (found,) = judged(ToyReference(RULES), text(1, "ab c\N{REPLACEMENT CHARACTER}", 4))
    assert scored(found).token_ids == OWN


def test_a_text_that_the_tokenizer_does_not_know_is_told() -> None:
    (found,) = judged(ToyReference(RULES), text(1, "xyz", 3))
    assert isinstance(found, UnreadAnswer)
    assert "no tokens" in found.reason

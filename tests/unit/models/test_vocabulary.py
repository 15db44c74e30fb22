"""The two rules that make the order of merging irrelevant, and that nothing is left to chance."""

import hashlib

import pytest

from python_runner.models.tokenizer.lexicon import COMMON_WORDS, CORE_WORDS
from python_runner.models.tokenizer.training import has_border, learn_words, merge
from python_runner.models.tokenizer.vocabulary import (
    FIRST_PIECE_ID,
    SPACE,
    SPECIALS,
    Vocabulary,
    make_vocabulary,
)

SIZES = {"tiny": 1024, "full": 256_000}
# Changing one of these changes every model: their folders need a new generator number.
DIGESTS = {"tiny": "2bebd54b53003ba3", "full": "a837035e20bc28e0"}


@pytest.fixture(scope="module", params=SIZES)
def named(request: pytest.FixtureRequest) -> tuple[str, Vocabulary]:
    return request.param, make_vocabulary(SIZES[request.param])


@pytest.fixture
def vocabulary(named: tuple[str, Vocabulary]) -> Vocabulary:
    return named[1]


def test_has_exactly_the_size_that_was_asked_for(named: tuple[str, Vocabulary]) -> None:
    name, vocabulary = named
    assert vocabulary.size == SIZES[name]
    ids = list(vocabulary.ids())
    assert [number for _, number in ids] == list(range(SIZES[name]))
    assert len({text for text, _ in ids}) == SIZES[name]


def test_is_a_pure_function_of_its_constants(named: tuple[str, Vocabulary]) -> None:
    name, vocabulary = named
    digest = hashlib.sha256("\0".join(vocabulary.pieces).encode()).hexdigest()
    assert digest[:16] == DIGESTS[name]


def test_a_piece_ranks_after_all_it_can_be_split_into(vocabulary: Vocabulary) -> None:
    ranks = vocabulary.ranks
    for left, right in vocabulary.merges():
        assert ranks[left + right] > max(ranks[left], ranks[right]), (left, right)


def test_no_piece_has_a_border(vocabulary: Vocabulary) -> None:
    assert [piece for piece in vocabulary.pieces if has_border(piece)] == []


def test_every_longer_piece_is_a_merge_of_two(vocabulary: Vocabulary) -> None:
    merged = {left + right for left, right in vocabulary.merges()}
    assert merged == {piece for piece in vocabulary.pieces if len(piece) > 1}


def test_a_space_is_only_at_the_beginning_of_a_piece(vocabulary: Vocabulary) -> None:
    """So that texts can be encoded in parts, cut before a space."""
    assert not any(SPACE in piece[1:] for piece in vocabulary.pieces)


def test_words_of_the_training_text_are_one_piece(vocabulary: Vocabulary) -> None:
    split = [word for word in CORE_WORDS if len(merge(SPACE + word, vocabulary.ranks)) > 1]
    assert split == []


def test_most_common_words_are_one_piece_of_the_full_vocabulary() -> None:
    ranks = make_vocabulary(SIZES["full"]).ranks
    whole = [word for word in COMMON_WORDS if len(merge(SPACE + word, ranks)) == 1]
    assert len(whole) > 0.9 * len(COMMON_WORDS)


def test_markers_come_first() -> None:
    assert SPECIALS.index("<eos>") == 1
    assert SPECIALS.index("<bos>") == 2
    assert len(SPECIALS) + 256 == FIRST_PIECE_ID


@pytest.mark.parametrize("size", [0, 300])
def test_a_size_that_cannot_be_filled_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="too few"):
        make_vocabulary(size)


def test_words_are_learnt_from_the_most_frequent_pair_on() -> None:
    pieces = learn_words(list("abcx"), ["abc", "abx", "ab"], most=99)
    assert pieces == ["a", "b", "c", "x", "ab", "abc", "abx"]


def test_learning_stops_when_there_is_no_room() -> None:
    assert learn_words(list("abc"), ["abc"], most=4) == ["a", "b", "c", "ab"]


def test_a_piece_that_would_break_a_rule_is_not_learnt() -> None:
    # "aba" has a border; "bc" would be a later part of the earlier "abc".
    assert learn_words(list("ab"), ["aba"], most=9) == ["a", "b", "ab"]
    assert learn_words([*"abc", "ab", "abc"], ["bc"], most=9) == [*"abc", "ab", "abc"]

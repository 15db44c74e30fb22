"""What is equal, what is not, and what is not known, from facts alone."""

import pytest

from python_runner.common.errors import UnfairError, UnknownNameError
from python_runner.measure.criteria import BLOCKING_KEYS, CRITERIA, check_keys
from python_runner.measure.fairness import (
    Equality,
    compare_facts,
    findings_of,
    require_fair,
)

FACTS = {"threads": "2", "context": "512", "kv-cache": "f16"}


def finding(key: str, **conditions: dict[str, str]) -> Equality:
    return next(each.equality for each in findings_of(conditions) if each.criterion.key == key)


@pytest.mark.parametrize(
    ("left", "right", "found"),
    [
        ({"threads": "2"}, {"threads": "2"}, Equality.EQUAL),
        ({"threads": "2"}, {"threads": "4"}, Equality.DIFFERENT),
        ({"threads": "2"}, {}, Equality.UNKNOWN),
        ({}, {}, Equality.UNKNOWN),
    ],
)
def test_what_is_not_said_is_never_equal(
    left: dict[str, str], right: dict[str, str], found: Equality
) -> None:
    assert finding("threads", a=left, b=right) is found
    (pair,) = (p for p in compare_facts({"a": left, "b": right}) if p.criterion.key == "threads")
    assert pair.equality is found


def test_every_pair_has_every_criterion() -> None:
    pairs = compare_facts(dict.fromkeys("abcd", FACTS))
    assert len(pairs) == 6 * len(CRITERIA)
    assert findings_of({"a": FACTS}) == ()


def test_one_that_says_nothing_does_not_hide_that_others_differ() -> None:
    conditions = {"a": {"threads": "2"}, "b": {}, "c": {"threads": "4"}}
    assert finding("threads", **conditions) is Equality.DIFFERENT
    with pytest.raises(UnfairError):
        require_fair(conditions)


def test_a_difference_names_who_has_what_and_what_to_type() -> None:
    conditions = {"a": FACTS, "b": FACTS, "c": {**FACTS, "threads": "4", "context": "64"}}
    with pytest.raises(UnfairError) as caught:
        require_fair(conditions)
    assert "threads: 2 (a, b), 4 (c)" in caught.value.message
    assert "context length: 512 (a, b), 64 (c)" in caught.value.message
    assert "Set --threads. Set --context." in caught.value.hint
    assert "--allow-unfair threads --allow-unfair context" in caught.value.hint
    assert caught.value.exit_code == 6


def test_what_is_allowed_goes_on_and_is_named_only_where_it_differs() -> None:
    conditions = {"a": FACTS, "b": {**FACTS, "threads": "4"}}
    assert require_fair(conditions, ["context", "threads"]) == ("threads",)
    assert require_fair({"a": FACTS, "b": FACTS}, ["threads"]) == ()
    with pytest.raises(UnfairError, match="threads"):
        require_fair(conditions, ["context"])


def test_what_is_only_told_stops_nothing() -> None:
    assert require_fair({"a": FACTS, "b": {**FACTS, "kv-cache": "q8_0"}}) == ()


@pytest.mark.parametrize("key", ["thread", "kv-cache", ""])
def test_only_what_blocks_can_be_allowed(key: str) -> None:
    with pytest.raises(UnknownNameError, match="unknown criterion") as caught:
        check_keys([key])
    assert all(known in caught.value.hint for known in BLOCKING_KEYS)


def test_keys_are_words_that_can_be_typed_and_titles_say_what_to_change() -> None:
    keys = [criterion.key for criterion in CRITERIA]
    assert len(set(keys)) == len(keys)
    assert all(key == key.lower() and " " not in key for key in keys)
    assert all(bool(each.change) == each.blocks for each in CRITERIA)

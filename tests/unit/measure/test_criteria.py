"""How each fact is read: from what was asked, and from what an engine says."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from python_runner.engines.contract import EngineDescription, WeightFormat
from python_runner.measure.criteria import REUSES_NOTHING, bits_in
from python_runner.measure.facts import Known, Reading, Seen, Work, reading_of
from python_runner.measure.fairness import facts_of
from python_runner.measure.plan import Prompt
from tests.unit.builders import settings, spec


def work(*ids: tuple[int, ...], in_turn: bool = False) -> Work:
    prompts = tuple(Prompt(text=str(each), ids=each) for each in ids)
    return Work(prompts=prompts, new_tokens=4, template="raw", sampling="greedy", in_turn=in_turn)


UNLIKE = work((2, 5, 6), (2, 6, 7))


def known(build: Mapping[str, str], work: Work = UNLIKE, reading: Reading | None = None) -> Known:
    seen = Seen(description=EngineDescription(version="1", build=build), reading=reading)
    return Known(spec=spec(), settings=settings(), work=work, seen=seen)


@pytest.mark.parametrize(
    ("held_as", "bits"),
    [
        ("bf16", 16),
        ("f16", 16),
        ("f32", 32),
        ("Q8_0", 8),
        ("int8 (torchao)", 8),
        ("Q4_K_M", 4),
        ("IQ4_NL", 4),
        ("Q5_0 for the most part, asked for as Q4_K_M", 5),
        ("bf16, as asked for: the wheel does not say", None),
        ("something new", None),
    ],
)
def test_the_bits_of_a_format(held_as: str, bits: int | None) -> None:
    assert bits_in(held_as) == bits


def test_before_it_runs_the_precision_is_the_one_asked_for() -> None:
    wide = WeightFormat(name="f32", bits=32, memory_per_weight_byte=3.0)
    asked = Known(spec=replace(spec(), formats={"bf16": wide}), settings=settings())
    assert facts_of(asked)["precision"] == "32 bits"
    file = replace(settings(), precision="Q6_K")
    assert facts_of(replace(asked, settings=file))["precision"] == "6 bits"


def test_when_it_runs_only_what_it_says_counts() -> None:
    assert facts_of(known({"weights in memory": "int8 (torchao)"}))["precision"] == "8 bits"
    assert "precision" not in facts_of(known({}))
    assert facts_of(known({"threads": "7"}))["threads"] == "7"
    assert facts_of(known({}))["threads"] == "2"


@pytest.mark.parametrize(
    ("cache", "prompts", "fact"),
    [
        ("off", work((2, 5, 6), (2, 5, 7)), REUSES_NOTHING),
        ("on", work((2, 5, 6), (2, 5, 7)), "reused of a prompt: 1 token"),
        ("on", UNLIKE, REUSES_NOTHING),
        ("", UNLIKE, REUSES_NOTHING),
        ("", work((2, 5, 6), (2, 5, 7)), None),
        ("on", work((2, 5, 6)), REUSES_NOTHING),
        ("on", work((2, 5, 6), (2, 5, 6)), "reused of a prompt: 2 tokens"),
        ("on", work((2, 5, 6), (2, 6, 7), in_turn=True), None),
        ("off", work((2, 5, 6), (2, 6, 7), in_turn=True), REUSES_NOTHING),
    ],
)
def test_a_cache_that_finds_nothing_is_as_good_as_none(
    cache: str, prompts: Work, fact: str | None
) -> None:
    facts = facts_of(known({"prompt cache": cache} if cache else {}, prompts))
    assert facts.get("prompt-cache") == fact


def test_the_reading_of_the_prompts() -> None:
    found = facts_of(known({}, reading=reading_of([(2, 5), (2, 6)])))
    other = facts_of(known({}, reading=reading_of([(2, 5), (2, 7)])))
    assert found["prompt-tokens"] == other["prompt-tokens"] == "2"
    assert found["prompt-ids"] != other["prompt-ids"]
    counted = facts_of(known({}, reading=Reading(counts=(2, 3))))
    assert counted["prompt-tokens"] == "2 to 3"
    assert "prompt-ids" not in counted
    assert "prompt-tokens" not in facts_of(known({}))

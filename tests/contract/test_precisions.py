"""The contract of an engine in other precisions than bf16: the same answers, told honestly.

The tiny model is sure of every token, so that quantising it should not change its answers:
when this was written every engine gave all of them as in bf16, also in 4 bits.
"""

from __future__ import annotations

import pytest

from python_runner.engines.contract import WEIGHTS_IN_MEMORY, EngineSpec, RunningEngine, StopReason
from python_runner.engines.servers.start import NOT_SAID
from python_runner.engines.table import engine
from tests.contract.data import HELD_OUT
from tests.contract.fleet import ANSWER_TOKENS, Fleet
from tests.contract.names import names_under_test

LEAST_EQUAL = 0.95
REFERENCE = "transformers"
"""In bf16."""
NOT_FITTING = {"Q4_K_M": "Q5_0", "Q6_K": "Q8_0"}
"""What llama-quantize takes for the tiny model's rows, which blocks of 256 do not divide."""

EACH = pytest.mark.parametrize("name", names_under_test())


@pytest.mark.parametrize(
    ("word", "name"),
    [
        (word, name)
        for word in ("8bit", "shipped")
        for name in names_under_test()
        # A stack that has one format for all words is asked in the one below.
        if word in engine(name).spec.formats and len(set(engine(name).spec.formats.values())) > 1
    ],
)
def test_answers_agree_with_bf16_and_have_the_exact_number_of_tokens(
    fleet: Fleet, name: str, word: str
) -> None:
    equal = 0
    with fleet.start(name, precision=word) as running:
        for prompt in HELD_OUT:
            answer = running.generate(fleet.request(prompt, new_tokens=ANSWER_TOKENS))
            assert answer.output_tokens == ANSWER_TOKENS
            assert answer.stop is StopReason.LENGTH
            assert answer.prompt_tokens == len(fleet.tokenizer.encode(prompt))
            expected = fleet.answer(REFERENCE, prompt)
            if answer.token_ids is None:
                equal += ANSWER_TOKENS * (answer.text == expected.text)
            else:
                assert expected.token_ids is not None
                pairs = zip(answer.token_ids, expected.token_ids, strict=True)
                equal += sum(ours == theirs for ours, theirs in pairs)
        assert told(running) == honest(fleet.spec(name), word)
    assert equal / (ANSWER_TOKENS * len(HELD_OUT)) >= LEAST_EQUAL


@EACH
def test_in_bf16_it_is_told_too(fleet: Fleet, name: str) -> None:
    assert told(fleet.running(name)) == honest(fleet.spec(name), "bf16")


def told(running: RunningEngine) -> str:
    """What the weights are held in, by the engine's own words."""
    held = running.description.build[WEIGHTS_IN_MEMORY]
    return held.removesuffix(", as asked for: the wheel does not say").removesuffix(NOT_SAID)


def honest(spec: EngineSpec, word: str) -> str:
    """What it has to say of the tiny model."""
    asked = spec.formats[word].name
    if spec.model_format == "gguf" and asked in NOT_FITTING:
        return f"{NOT_FITTING[asked]} for the most part, asked for as {asked}"
    return asked

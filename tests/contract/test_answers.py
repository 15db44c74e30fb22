"""The contract of an engine: what it answers. One suite over every row of the table.

No engine is skipped: one that cannot be built or started fails here.
"""

from __future__ import annotations

import json

import pytest

from python_runner.common.clock import NS_PER_S
from python_runner.engines.contract import (
    GenerateRequest,
    Generation,
    Reach,
    Served,
    StampsInProcess,
    StopReason,
)
from python_runner.engines.table import engine
from tests.contract.data import END_PROMPT, HELD_OUT, TOKENIZER_CASES, TokenizerCase
from tests.contract.fleet import ANSWER_TOKENS, Fleet
from tests.contract.names import names_under_test

EVERY = pytest.mark.parametrize("name", names_under_test(include_hidden=True))
REAL = pytest.mark.parametrize("name", names_under_test())
REFERENCE = "transformers"
"""Whose answers the others' are compared with."""


@EVERY
def test_it_says_what_it_is(fleet: Fleet, name: str) -> None:
    running = fleet.running(name)
    assert running.description.version
    assert running.description.build
    assert all(running.description.build.values())
    assert running.load_seconds > 0


@REAL
def test_the_error_of_its_stamps_can_be_measured(fleet: Fleet, name: str) -> None:
    """Served: by asking another server as this one is asked. Embedded: by its own worker."""
    running = fleet.running(name)
    assert isinstance(running, Served) == (engine(name).spec.reach is Reach.SERVED)
    if isinstance(running, Served):
        assert running.endpoint.url.startswith("http://127.0.0.1:")
        request = GenerateRequest(prompt_text="a", prompt_ids=(2, 5), new_tokens=3)
        assert json.loads(running.request_body(request))["stream"] is True
    else:
        assert isinstance(running, StampsInProcess)
        cost = running.stamp_cost_ns()
        assert cost is not None
        assert 0 < cost < NS_PER_S


@EVERY
@pytest.mark.parametrize("new_tokens", [1, 2, 17])
def test_the_number_of_tokens_is_exact(fleet: Fleet, name: str, new_tokens: int) -> None:
    answer = fleet.ask(name, HELD_OUT[0], new_tokens=new_tokens)
    assert answer.output_tokens == new_tokens
    assert answer.stop is StopReason.LENGTH
    assert answer.token_ids is None or len(answer.token_ids) == new_tokens
    assert len(answer.chunk_ns) == len(answer.chunk_tokens)
    if all(answer.chunk_tokens):
        assert sum(answer.chunk_tokens) == new_tokens


@EVERY
def test_stamps_are_in_order(fleet: Fleet, name: str) -> None:
    for prompt in HELD_OUT[:3]:
        answer = fleet.answer(name, prompt)
        stamps = [answer.requested_ns, *answer.chunk_ns, answer.ended_ns]
        assert stamps == sorted(stamps)
        assert answer.requested_ns < answer.chunk_ns[0]


@EVERY
def test_requests_do_not_overlap_on_the_clock(fleet: Fleet, name: str) -> None:
    first, second = (fleet.ask(name, HELD_OUT[1], new_tokens=8) for _ in range(2))
    assert first.ended_ns <= second.requested_ns


@EVERY
def test_prompts_have_the_tokens_of_the_reference(fleet: Fleet, name: str) -> None:
    for prompt in HELD_OUT:
        answer = fleet.ask(name, prompt, new_tokens=1)
        assert answer.prompt_tokens == len(fleet.tokenizer.encode(prompt)), prompt


@REAL
@pytest.mark.parametrize("case", TOKENIZER_CASES, ids=lambda case: case.name)
def test_text_is_read_as_by_the_reference(fleet: Fleet, name: str, case: TokenizerCase) -> None:
    assert fleet.tokenizer.encode(case.text) == case.ids
    ids = fleet.running(name).token_ids(case.text)
    if ids is not None:
        assert ids == case.ids
    # What `generate` makes of a text need not be what `token_ids` says. Two tokens: with one,
    # mistral.rs's server miscounts where that is a part of a character.
    assert fleet.ask(name, case.text, new_tokens=2).prompt_tokens == len(case.ids)


@EVERY
def test_ids_are_reported_as_the_spec_says(fleet: Fleet, name: str) -> None:
    answer = fleet.ask(name, HELD_OUT[0], new_tokens=8)
    assert (answer.token_ids is not None) == fleet.spec(name).reports_token_ids


@EVERY
def test_no_answer_leaves_a_trace_in_the_next(fleet: Fleet, name: str) -> None:
    first, again, other, after = (
        fleet.ask(name, prompt, new_tokens=24)
        for prompt in (HELD_OUT[2], HELD_OUT[2], HELD_OUT[3], HELD_OUT[2])
    )
    assert _content(again) == _content(first)
    assert _content(after) == _content(first)
    assert _content(other) != _content(first)


@pytest.mark.parametrize("name", [name for name in names_under_test() if name != REFERENCE])
@pytest.mark.parametrize("number", range(len(HELD_OUT)))
def test_greedy_answers_are_equal_across_the_stacks(fleet: Fleet, name: str, number: int) -> None:
    expected = fleet.answer(REFERENCE, HELD_OUT[number])
    answer = fleet.answer(name, HELD_OUT[number])
    assert answer.output_tokens == ANSWER_TOKENS
    if answer.token_ids is not None:
        assert answer.token_ids == expected.token_ids
    assert answer.text == expected.text


@REAL
def test_an_early_end_is_marked(fleet: Fleet, name: str) -> None:
    request = fleet.request(END_PROMPT, new_tokens=ANSWER_TOKENS, ignore_end_of_sequence=False)
    answer = fleet.running(name).generate(request)
    assert answer.stop is StopReason.END_OF_SEQUENCE
    assert 0 < answer.output_tokens < ANSWER_TOKENS
    assert "<eos>" not in answer.text, "the mark that ends an answer is no part of it"
    if all(answer.chunk_tokens):
        assert len(answer.chunk_ns) == answer.output_tokens


@REAL
def test_the_end_is_ignored_by_those_who_can(fleet: Fleet, name: str) -> None:
    answer = fleet.ask(name, END_PROMPT, new_tokens=ANSWER_TOKENS)
    if fleet.spec(name).can_ignore_end_of_sequence:
        assert answer.stop is StopReason.LENGTH
        assert answer.output_tokens == ANSWER_TOKENS
    else:
        assert answer.stop is StopReason.END_OF_SEQUENCE
        assert answer.output_tokens < ANSWER_TOKENS


def _content(answer: Generation) -> tuple[str, tuple[int, ...] | None]:
    return answer.text, answer.token_ids

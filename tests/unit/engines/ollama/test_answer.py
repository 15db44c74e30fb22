"""Ollama's chunks become a Generation, or an error that says why not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from python_runner.common.errors import GenerationError
from python_runner.engines.contract import StopReason
from python_runner.engines.ollama.answer import generation_of
from python_runner.engines.served.streaming import Stream

LAST: dict[str, Any] = {
    "response": "",
    "done": True,
    "done_reason": "length",
    "total_duration": 900,
    "load_duration": 20,
    "prompt_eval_count": 7,
    "prompt_eval_duration": 300,
    "eval_count": 3,
    "eval_duration": 500,
}


def content(*texts: str) -> list[dict[str, Any]]:
    return [{"response": text, "done": False} for text in texts]


def stream(*messages: dict[str, Any], reads: tuple[int, ...] | None = None) -> Stream:
    count = len(messages)
    return Stream(
        requested_ns=1000,
        events=tuple(json.dumps(message).encode() for message in messages),
        event_ns=tuple(2000 + 10 * number for number in range(count)),
        read_index=reads or tuple(range(1, count + 1)),
        ended_ns=9000,
    )


def test_each_chunk_with_content_is_stamped() -> None:
    answer = generation_of(stream(*content("a", " b", "c"), LAST), new_tokens=3)
    assert answer.requested_ns == 1000
    assert answer.chunk_ns == (2000, 2010, 2020)
    assert answer.chunk_tokens == (1, 1, 1)
    assert answer.ended_ns == 9000
    assert answer.prompt_tokens == 7
    assert answer.output_tokens == 3
    assert answer.stop is StopReason.LENGTH
    assert answer.text == "a bc"
    assert answer.token_ids is None


def test_ollamas_own_figures_are_kept_with_their_units() -> None:
    answer = generation_of(stream(*content("a", "b", "c"), LAST), new_tokens=3)
    assert answer.engine_timings == {
        "total_duration_ns": 900.0,
        "load_duration_ns": 20.0,
        "prompt_eval_duration_ns": 300.0,
        "eval_duration_ns": 500.0,
        "prompt_eval_count": 7.0,
        "eval_count": 3.0,
        "chunks_read_together": 0.0,
    }


def test_chunks_without_content_get_no_stamp() -> None:
    answer = generation_of(stream(*content("a", "", "b", "c"), LAST), new_tokens=3)
    assert answer.chunk_ns == (2000, 2020, 2030)
    assert answer.chunk_tokens == (1, 1, 1)


def test_content_in_the_last_message_counts() -> None:
    last = {**LAST, "response": "c"}
    answer = generation_of(stream(*content("a", "b"), last), new_tokens=3)
    assert answer.text == "abc"
    assert len(answer.chunk_ns) == 3


def test_with_fewer_chunks_than_tokens_nobody_knows_which_held_two() -> None:
    answer = generation_of(stream(*content("a", "é"), LAST), new_tokens=3)
    assert answer.output_tokens == 3
    assert answer.chunk_tokens == (0, 0)


def test_the_mark_of_the_end_is_counted_by_ollama_and_not_by_us() -> None:
    last = {**LAST, "done_reason": "stop"}
    answer = generation_of(stream(*content("a", "b"), last), new_tokens=64)
    assert answer.stop is StopReason.END_OF_SEQUENCE
    assert answer.output_tokens == 2
    assert answer.chunk_tokens == (1, 1)
    assert answer.engine_timings["eval_count"] == 3.0


def test_an_answer_that_ends_at_once_has_no_chunks() -> None:
    last = {**LAST, "done_reason": "stop", "eval_count": 1}
    answer = generation_of(stream(last), new_tokens=64)
    assert answer.output_tokens == 0
    assert answer.chunk_ns == ()


def test_chunks_of_one_read_are_counted() -> None:
    together = stream(*content("a", "b", "c"), LAST, reads=(1, 1, 2, 2))
    assert generation_of(together, new_tokens=3).engine_timings["chunks_read_together"] == 1.0


@pytest.mark.parametrize(
    ("messages", "complaint"),
    [
        ([], "broke its answer off after 0 chunks"),
        (content("a", "a"), "broke its answer off after 2 chunks"),
        ([*content("a"), {"error": "no memory"}], "Ollama: no memory"),
        ([*content("a", "b"), {**LAST, "eval_count": 2}], "2 tokens instead of 3"),
        ([*content("a"), {**LAST, "done_reason": "load"}], "'load'"),
        ([*content("a"), {**LAST, "eval_count": "3"}], "'3' as eval_count"),
    ],
)
def test_what_is_no_whole_answer_is_an_error(
    messages: list[dict[str, Any]], complaint: str
) -> None:
    with pytest.raises(GenerationError, match=complaint):
        generation_of(stream(*messages), new_tokens=3)


@pytest.mark.parametrize("event", [b"{", b"\xff", b"[1]"])
def test_what_is_no_message_is_an_error(event: bytes) -> None:
    broken = Stream(requested_ns=0, events=(event,), event_ns=(1,), read_index=(1,), ended_ns=2)
    with pytest.raises(GenerationError, match="sent what is no"):
        generation_of(broken, new_tokens=3)


def test_a_broken_off_answer_names_the_usual_cause() -> None:
    with pytest.raises(GenerationError) as raised:
        generation_of(stream(*content("d")), new_tokens=3)
    assert "30 times in a row" in raised.value.hint

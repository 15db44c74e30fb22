"""What is sent to llama.cpp's server, and what is made of its answers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from python_runner.common.errors import GenerationError
from python_runner.engines.contract import Generation, StopReason
from python_runner.engines.llama.protocol import generation_of, request_body
from python_runner.engines.served.streaming import NotAnsweredError, Stream
from tests.unit.engines.helpers import request_for

TIMINGS = {
    "cache_n": 0,
    "prompt_n": 7,
    "prompt_ms": 1.5,
    "prompt_per_token_ms": 0.2,
    "predicted_n": 3,
    "predicted_ms": 2.25,
}
LAST = {
    "content": "",
    "tokens": [],
    "stop": True,
    "tokens_predicted": 3,
    "tokens_evaluated": 7,
    "stop_type": "limit",
    "timings": TIMINGS,
}
# llamafile 0.9 has three words for the reason, and knows no cache_n.
OLD_LAST = {
    "content": "",
    "stop": True,
    "tokens_predicted": 3,
    "tokens_evaluated": 7,
    "stopped_eos": False,
    "stopped_word": False,
    "stopped_limit": True,
    "timings": {name: value for name, value in TIMINGS.items() if name != "cache_n"},
}


def chunk(text: str, number: int, by_then: int) -> dict[str, Any]:
    return {
        "content": text,
        "tokens": [number],
        "stop": False,
        "tokens_predicted": by_then,
        "tokens_evaluated": 7,
    }


def old_chunk(text: str) -> dict[str, Any]:
    return {"content": text, "stop": False, "slot_id": 0, "multimodal": False}


THREE = (chunk("a", 11, 1), chunk(" b", 12, 2), chunk("c", 13, 3))
OLD_THREE = (old_chunk("a"), old_chunk(" b"), old_chunk("c"))


def answer(
    *messages: dict[str, Any],
    new_tokens: int = 3,
    reads: tuple[int, ...] | None = None,
    may_cache: bool = False,
) -> Generation:
    count = len(messages)
    stream = Stream(
        requested_ns=1000,
        events=tuple(json.dumps(message).encode() for message in messages),
        event_ns=tuple(2000 + 10 * number for number in range(count)),
        read_index=reads or tuple(range(1, count + 1)),
        ended_ns=9000,
    )
    return generation_of(stream, title="the server", new_tokens=new_tokens, may_cache=may_cache)


def test_the_prompt_goes_in_as_ids_and_comes_from_no_cache() -> None:
    body = json.loads(request_body(request_for(2, 5, 6, new_tokens=9)))
    assert body["prompt"] == [2, 5, 6]
    assert body["n_predict"] == 9
    assert body["cache_prompt"] is False
    assert body["stream"] is True
    assert body["return_tokens"] is True
    assert body["ignore_eos"] is True


def test_the_end_is_ignored_only_if_asked_for() -> None:
    body = json.loads(request_body(request_for(2, ignore_end_of_sequence=False)))
    assert body["ignore_eos"] is False


def test_a_request_leaves_no_choice_to_the_sampler() -> None:
    body = json.loads(request_body(request_for(2)))
    assert body["samplers"] == ["top_k"]
    assert body["top_k"] == 1
    assert body["temperature"] == 0.0
    assert body["repeat_penalty"] == 1.0
    assert body["stop"] == []


def test_each_token_is_stamped() -> None:
    found = answer(*THREE, LAST)
    assert found.requested_ns == 1000
    assert found.chunk_ns == (2000, 2010, 2020)
    assert found.chunk_tokens == (1, 1, 1)
    assert found.ended_ns == 9000
    assert found.prompt_tokens == 7
    assert found.output_tokens == 3
    assert found.stop is StopReason.LENGTH
    assert found.text == "a bc"
    assert found.token_ids == (11, 12, 13)


def test_a_token_without_text_is_a_token() -> None:
    found = answer(chunk("a", 11, 1), chunk("", 12, 2), chunk("c", 13, 3), LAST)
    assert found.chunk_tokens == (1, 1, 1)
    assert found.token_ids == (11, 12, 13)


def test_the_servers_own_figures_are_kept_with_their_units() -> None:
    assert answer(*THREE, LAST).engine_timings == {
        "cache_n": 0.0,
        "prompt_n": 7.0,
        "prompt_ms": 1.5,
        "predicted_n": 3.0,
        "predicted_ms": 2.25,
        "chunks_read_together": 0.0,
    }


def test_chunks_of_one_read_are_counted() -> None:
    found = answer(*THREE, LAST, reads=(1, 1, 2, 2))
    assert found.engine_timings["chunks_read_together"] == 1.0


def test_a_character_of_two_tokens_is_one_chunk_and_an_id_is_missing() -> None:
    found = answer(chunk("a", 11, 1), chunk("é", 13, 3), LAST)
    assert found.chunk_tokens == (1, 2)
    assert found.output_tokens == 3
    assert found.token_ids is None


def test_an_answer_that_ends_within_a_character_ends_with_the_last_message() -> None:
    found = answer(chunk("a", 11, 1), chunk("b", 12, 2), LAST)
    assert found.chunk_tokens == (1, 1, 1)
    assert found.chunk_ns == (2000, 2010, 2020)
    assert found.token_ids is None
    assert found.text == "ab"


def test_the_mark_of_the_end_is_no_part_of_the_answer() -> None:
    last = {**LAST, "stop_type": "eos"}
    found = answer(chunk("a", 11, 1), chunk("b", 12, 2), chunk("", 1, 3), last, new_tokens=64)
    assert found.stop is StopReason.END_OF_SEQUENCE
    assert found.output_tokens == 2
    assert found.chunk_ns == (2000, 2010)
    assert found.token_ids == (11, 12)
    assert found.text == "ab"


def test_an_answer_that_ends_at_once_has_no_chunks() -> None:
    last = {**LAST, "stop_type": "eos", "tokens_predicted": 1}
    found = answer(chunk("", 1, 1), last, new_tokens=64)
    assert found.output_tokens == 0
    assert found.chunk_ns == ()
    assert found.token_ids == ()


def test_the_end_within_a_character_has_no_chunk_of_its_own() -> None:
    last = {**LAST, "stop_type": "eos"}
    found = answer(chunk("a", 11, 1), last, new_tokens=64)
    assert found.output_tokens == 2
    assert found.chunk_tokens == (1, 1)
    assert found.text == "a"


def test_a_llamafile_of_the_old_family_gives_no_ids() -> None:
    found = answer(*OLD_THREE, OLD_LAST)
    assert found.chunk_tokens == (1, 1, 1)
    assert found.output_tokens == 3
    assert found.stop is StopReason.LENGTH
    assert found.text == "a bc"
    assert found.token_ids is None
    assert "cache_n" not in found.engine_timings


def test_with_fewer_chunks_than_tokens_the_old_family_does_not_say_which_held_two() -> None:
    found = answer(old_chunk("a"), old_chunk("é"), OLD_LAST)
    assert found.output_tokens == 3
    assert found.chunk_tokens == (0, 0)


def test_the_old_family_writes_the_mark_of_the_end_out() -> None:
    last = {**OLD_LAST, "stopped_eos": True}
    found = answer(old_chunk("a"), old_chunk("b"), old_chunk("<eos>"), last, new_tokens=64)
    assert found.stop is StopReason.END_OF_SEQUENCE
    assert found.output_tokens == 2
    assert found.text == "ab"
    assert found.chunk_tokens == (1, 1)


@pytest.mark.parametrize(
    ("messages", "complaint"),
    [
        ([*THREE[:1], {"error": {"code": 500, "message": "no memory"}}], "the server: no memory"),
        ([*THREE[:1], {"error": "no memory"}], "the server: no memory"),
        ([*THREE[:2], {**LAST, "tokens_predicted": 2}], "2 tokens instead of 3"),
        ([*THREE, {**LAST, "stop_type": "word"}], "'word'"),
        ([*OLD_THREE, {**OLD_LAST, "stopped_limit": False}], "reason None"),
        ([*THREE, {**LAST, "tokens_predicted": "3"}], "'3' as tokens_predicted"),
        ([*THREE, {**LAST, "timings": None}], "no timings"),
        (
            [*THREE, {**LAST, "timings": {**TIMINGS, "prompt_n": 2, "cache_n": 5}}],
            "computed 2 of the prompt's 7 tokens",
        ),
    ],
)
def test_what_is_no_whole_answer_is_an_error(
    messages: list[dict[str, Any]], complaint: str
) -> None:
    with pytest.raises(GenerationError, match=complaint):
        answer(*messages)


@pytest.mark.parametrize("messages", [(), THREE])
def test_a_missing_end_may_be_the_end_of_the_server(messages: tuple[dict[str, Any], ...]) -> None:
    with pytest.raises(NotAnsweredError, match=f"broke its answer off after {len(messages)}"):
        answer(*messages)


@pytest.mark.parametrize("event", [b"{", b"\xff", b"[1]", b"[DONE]"])
def test_what_is_no_message_is_an_error(event: bytes) -> None:
    broken = Stream(requested_ns=0, events=(event,), event_ns=(1,), read_index=(1,), ended_ns=2)
    with pytest.raises(GenerationError, match="sent what is no"):
        generation_of(broken, title="the server", new_tokens=3)


def test_where_the_cache_is_on_a_prompt_may_come_from_it() -> None:
    assert json.loads(request_body(request_for(2), cache_prompt=True))["cache_prompt"] is True
    cached = {**LAST, "timings": {**TIMINGS, "prompt_n": 2, "cache_n": 5}}
    found = answer(*THREE, cached, may_cache=True)
    assert (found.prompt_tokens, found.engine_timings["cache_n"]) == (7, 5)

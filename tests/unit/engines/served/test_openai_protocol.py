"""What is made of the answers of servers that speak OpenAI's protocol."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from python_runner.common.errors import GenerationError
from python_runner.engines.contract import Generation, StopReason
from python_runner.engines.hf import serve as hf_serve
from python_runner.engines.mistralrs import server as mistralrs_server
from python_runner.engines.served.openai_protocol import (
    Dialogue,
    Ending,
    EndMissingError,
    Piece,
    generation_of,
)
from python_runner.engines.served.streaming import NotAnsweredError, Stream

NAMES = {11: " a", 12: "b", 13: "c", 1: "<eos>"}
WITH_IDS = Dialogue(
    title="the server",
    piece=mistralrs_server.piece_of,
    decode=lambda ids: "".join(NAMES[each] for each in ids),
    timings=("total_time_sec",),
)
TEXT_ONLY = Dialogue(title="the server", piece=hf_serve.piece_of)


def chat(text: str, number: int, finish: str | None = None, **more: Any) -> dict[str, Any]:
    listed = {"token": text, "top_logprobs": [{"token": number, "logprob": -0.1}]}
    choice = {"delta": {"content": text, "role": "assistant"}, "logprobs": listed}
    return {"choices": [{**choice, "finish_reason": finish}], **more}


def chunk(text: str, finish: str | None = None, **more: Any) -> dict[str, Any]:
    reason = {"finish_reason": finish} if finish else {}
    return {"choices": [{"index": 0, "text": text, **reason}], **more}


def usage(answer: int, prompt: int = 7) -> dict[str, Any]:
    return {"usage": {"completion_tokens": answer, "prompt_tokens": prompt, "total_time_sec": 0.5}}


def stream_of(*messages: dict[str, Any] | bytes, reads: tuple[int, ...] | None = None) -> Stream:
    return Stream(
        requested_ns=1000,
        events=tuple(
            message if isinstance(message, bytes) else json.dumps(message).encode()
            for message in messages
        ),
        event_ns=tuple(2000 + 10 * number for number in range(len(messages))),
        read_index=reads or tuple(range(1, len(messages) + 1)),
        ended_ns=9000,
    )


def answer(*messages: dict[str, Any] | bytes, new_tokens: int = 3) -> Generation:
    return generation_of(stream_of(*messages), WITH_IDS, new_tokens=new_tokens)


def plain(*messages: dict[str, Any] | bytes, new_tokens: int = 3) -> Generation:
    return generation_of(stream_of(*messages), TEXT_ONLY, new_tokens=new_tokens)


def test_chunks_with_ids_are_tokens_and_make_the_text() -> None:
    # It leaves out the white space that the answer begins with.
    found = answer(chat("a", 11), chat("b", 12), chat("c", 13, "length", **usage(3)), b"[DONE]")
    assert found.text == " abc"
    assert found.token_ids == (11, 12, 13)
    assert (found.chunk_ns, found.chunk_tokens) == ((2000, 2010, 2020), (1, 1, 1))
    assert (found.prompt_tokens, found.output_tokens) == (7, 3)
    assert found.stop is StopReason.LENGTH
    assert (found.requested_ns, found.ended_ns) == (1000, 9000)
    assert found.engine_timings == {"total_time_sec": 0.5, "chunks_read_together": 0.0}


def test_the_mark_that_ends_an_answer_is_no_part_of_it() -> None:
    found = answer(chat("a", 11), chat("b", 12), chat("", 1, "stop", **usage(3)), b"[DONE]")
    assert found.stop is StopReason.END_OF_SEQUENCE
    assert (found.output_tokens, found.token_ids, found.text) == (2, (11, 12), " ab")
    assert len(found.chunk_ns) == 2


def test_an_answer_may_be_nothing_but_its_end() -> None:
    found = answer(chat("", 1, "stop", **usage(1)), b"[DONE]")
    assert (found.output_tokens, found.token_ids, found.chunk_ns) == (0, (), ())


def test_a_token_without_a_chunk_is_told() -> None:
    found = answer(chat("a", 11), chat("bc", 13, "length", **usage(3)), b"[DONE]")
    assert found.token_ids is None
    assert found.chunk_tokens == (0, 0)
    assert (found.output_tokens, found.text) == (3, "abc")


def test_a_server_without_ids_gives_text_and_counts() -> None:
    found = plain(chunk(" "), chunk("b"), chunk("c"), chunk("", "length", **usage(3)))
    assert (found.text, found.token_ids) == (" bc", None)
    assert found.chunk_tokens == (1, 1, 1)
    assert found.chunk_ns == (2000, 2010, 2020)


def test_without_ids_too_the_end_is_no_token() -> None:
    found = plain(chunk("a"), chunk("b"), chunk("", "stop", **usage(3)), new_tokens=64)
    assert (found.stop, found.output_tokens) == (StopReason.END_OF_SEQUENCE, 2)
    assert found.chunk_tokens == (1, 1)


def test_chunks_of_one_read_are_counted() -> None:
    stream = stream_of(
        chunk("a"), chunk("b"), chunk("c"), chunk("", "length", **usage(3)), reads=(1, 1, 2, 2)
    )
    found = generation_of(stream, TEXT_ONLY, new_tokens=3)
    assert found.engine_timings["chunks_read_together"] == 1


def test_a_wrong_number_of_tokens_is_a_failure() -> None:
    with pytest.raises(GenerationError, match="2 tokens instead of 3"):
        plain(chunk("a"), chunk("b"), chunk("", "length", **usage(2)))


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (b'{"error": "out of memory"}', "the server: out of memory"),
        (b'{"error": {"message": "out of memory"}}', "the server: out of memory"),
        (b"shape mismatch in matmul", "the server: shape mismatch in matmul"),
        (b'{"error": "no "quotes""}', "no "),
        (b"[1]", "what is no message"),
    ],
)
def test_errors_in_mid_answer_are_told(event: bytes, message: str) -> None:
    with pytest.raises(GenerationError, match=message):
        plain(chunk("a"), event)


def test_an_answer_without_its_end_is_broken_off() -> None:
    with pytest.raises(EndMissingError, match="after 2 chunks"):
        plain(chunk("a"), chunk("b"))
    with pytest.raises(NotAnsweredError, match="after 0 chunks"):
        plain()


def test_an_ending_told_elsewhere_is_taken_with_the_stamp_of_the_stream_s_end() -> None:
    ending = Ending(finish="length", usage=usage(3)["usage"])
    stream = stream_of(chat("a", 11), chat("b", 12))
    found = generation_of(stream, WITH_IDS, new_tokens=3, ending=ending)
    assert (found.prompt_tokens, found.output_tokens) == (7, 3)
    assert found.stop is StopReason.LENGTH
    assert found.chunk_ns == (2000, 2010, 9000)
    assert set(found.chunk_tokens) == {0}, "what the chunks held is not known then"
    assert found.token_ids is None


def test_an_ending_told_elsewhere_is_not_needed_where_there_is_one() -> None:
    ending = Ending(finish="stop", usage=usage(1)["usage"])
    stream = stream_of(chunk("a"), chunk("", "length", **usage(1)))
    found = generation_of(stream, TEXT_ONLY, new_tokens=1, ending=ending)
    assert (found.stop, found.chunk_ns) == (StopReason.LENGTH, (2000,))


def test_another_reason_to_end_is_a_failure() -> None:
    with pytest.raises(GenerationError, match="'canceled'"):
        plain(chunk("a"), chunk("", "canceled", **usage(1)))


def test_counts_that_are_missing_are_a_failure() -> None:
    with pytest.raises(GenerationError, match="None as completion_tokens"):
        plain(chunk("a"), chunk("", "length"))


def piece(choice: Mapping[str, Any]) -> Piece:
    return Piece(
        text=choice["text"], ids=tuple(choice.get("ids", ())), tokens=choice.get("tokens", 0)
    )


def several(text: str, finish: str | None = None, **more: Any) -> dict[str, Any]:
    return {"choices": [{"text": text, "finish_reason": finish, **more}]}


def read(*messages: dict[str, Any], new_tokens: int, **how: Any) -> Generation:
    dialogue = Dialogue(title="the server", piece=piece, **how)
    return generation_of(stream_of(*messages), dialogue, new_tokens=new_tokens)


def test_a_chunk_may_hold_several_tokens() -> None:
    found = read(
        several("ab", ids=[11, 12]), several("c", "length", ids=[13]), usage(3), new_tokens=3
    )
    assert (found.chunk_tokens, found.token_ids) == ((2, 1), (11, 12, 13))


def test_the_mark_may_share_a_chunk_with_tokens() -> None:
    found = read(
        several("ab", ids=[11, 12]), several("c", "stop", ids=[13, 1]), usage(4), new_tokens=9
    )
    assert (found.output_tokens, found.token_ids) == (3, (11, 12, 13))
    assert (found.chunk_tokens, found.text) == ((2, 1), "abc")


def test_the_mark_may_stand_alone_after_chunks_of_several() -> None:
    found = read(several("ab", ids=[11, 12]), several("", "stop", ids=[1]), usage(3), new_tokens=9)
    assert (found.output_tokens, found.chunk_tokens) == (2, (2,))


def test_a_server_may_not_count_the_mark() -> None:
    said = several("a"), several("b"), several("", "stop"), usage(2)
    found = read(*said, new_tokens=9, end_is_counted=False)
    assert (found.output_tokens, found.chunk_tokens) == (2, (1, 1))


def test_a_server_may_have_its_own_words_for_the_end() -> None:
    stops = {"eos_token": StopReason.END_OF_SEQUENCE}
    found = read(several("a"), several("<eos>", "eos_token"), usage(2), new_tokens=9, stops=stops)
    assert (found.text, found.stop) == ("a", StopReason.END_OF_SEQUENCE)


@pytest.mark.parametrize(
    ("asked", "stop"), [(3, StopReason.LENGTH), (9, StopReason.END_OF_SEQUENCE)]
)
def test_chunks_may_be_counted_where_usage_counts_something_else(
    asked: int, stop: StopReason
) -> None:
    said = several("ab", tokens=2), several("c", "stop", tokens=1), usage(77)
    how = {"counts_its_chunks": True, "end_is_counted": False}
    found = read(*said, new_tokens=asked, **how)
    assert (found.output_tokens, found.chunk_tokens, found.stop) == (3, (2, 1), stop)

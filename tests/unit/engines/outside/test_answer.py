"""What a record of one request to somebody else's server comes to."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from python_runner.common.errors import GenerationError
from python_runner.engines.contract import (
    Dialect,
    Endpoint,
    GenerateRequest,
    Generation,
    StopReason,
)
from python_runner.engines.outside.answer import NOT_COUNTED, generation_of

THERE = Endpoint(url="https://h/v1/completions?k=9", dialect=Dialect.OPENAI_COMPLETIONS, model="m")
ASKED = GenerateRequest(prompt_text="x", prompt_ids=(), new_tokens=4)


def _bytes(*numbers: int, kind: str = "<i4") -> bytes:
    return np.asarray(numbers, dtype=kind).tobytes()


@dataclass
class Record:
    """One request in the client's columns."""

    tokens: int = 4
    sizes: tuple[int, ...] = (1, 1, 1, 1)
    stop: tuple[str, ...] = ("length",)
    text: tuple[str, ...] = ("a b c d",)
    error_kind: tuple[str, ...] = ("",)
    error: tuple[str, ...] = ("",)
    status_number: int = 200
    sent: int = 100
    prompt_tokens: bytes = field(default=_bytes(NOT_COUNTED))

    @property
    def sent_ns(self) -> bytes:
        return _bytes(self.sent, kind="<i8") if self.sent else b""

    @property
    def ended_ns(self) -> bytes:
        return _bytes(900, kind="<i8")

    @property
    def status(self) -> bytes:
        return _bytes(self.status_number)

    @property
    def output_tokens(self) -> bytes:
        return _bytes(self.tokens)

    @property
    def chunk_ns(self) -> bytes:
        return _bytes(*range(200, 200 + len(self.sizes)), kind="<i8")

    @property
    def chunk_tokens(self) -> bytes:
        return _bytes(*self.sizes)

    @property
    def chunk_reads(self) -> bytes:
        return _bytes(*range(len(self.sizes)))


def words(text: str) -> int:
    return len(text.split())


def read(record: Record, **given: object) -> Generation:
    return generation_of(record, THERE, ASKED, **given)  # type: ignore[arg-type]


def test_the_servers_own_count_is_taken() -> None:
    found = read(Record(), count=lambda _: 99)
    assert (found.output_tokens, found.stop) == (4, StopReason.LENGTH)
    assert (found.requested_ns, found.chunk_ns, found.ended_ns) == (100, (200, 201, 202, 203), 900)
    assert found.prompt_tokens == NOT_COUNTED
    assert found.token_ids is None


def test_a_mark_that_is_counted_and_not_sent_is_no_token() -> None:
    ended = Record(tokens=4, sizes=(1, 1, 1), stop=("end-of-sequence",))
    assert read(ended).output_tokens == 3
    assert read(ended).stop is StopReason.END_OF_SEQUENCE


def test_where_it_does_not_count_a_tokenizer_does() -> None:
    uncounted = Record(tokens=NOT_COUNTED, sizes=(0, 0))
    found = read(uncounted, count=words)
    assert found.output_tokens == 4
    assert found.engine_timings["tokens_counted_by_a_tokenizer"] == 4


@pytest.mark.parametrize(("text", "counted"), [("a b c", 4), ("a b c d e f", 4), ("a", 1)])
def test_an_answer_of_the_length_that_was_asked_for_has_it_if_the_text_may(
    text: str, counted: int
) -> None:
    assert read(Record(tokens=NOT_COUNTED, text=(text,)), count=words).output_tokens == counted


def test_an_answer_that_nobody_counts_is_no_answer() -> None:
    with pytest.raises(GenerationError, match="how many tokens") as raised:
        read(Record(tokens=NOT_COUNTED))
    assert "--tokenizer" in raised.value.hint
    assert "k=9" not in raised.value.message


def test_a_refusal_has_its_words_and_not_the_key() -> None:
    refused = Record(error_kind=("status",), error=("status 401: no sk-9",), status_number=401)
    with pytest.raises(GenerationError, match=r"no \*\*\*") as raised:
        read(refused, secrets=("sk-9",))
    assert "--api-key-env" in raised.value.hint
    assert "k=9" not in raised.value.message


def test_a_key_that_is_repeated_in_an_answer_is_hidden() -> None:
    assert read(Record(text=("a sk-9 b c",)), secrets=("sk-9",)).text == "a *** b c"


def test_no_request_at_all() -> None:
    with pytest.raises(GenerationError, match="gave no answer"):
        read(Record(sent=0))

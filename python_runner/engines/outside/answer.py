"""One request to somebody else's server, and what its answer comes to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from python_runner.common.errors import GenerationError
from python_runner.engines.contract import Endpoint, GenerateRequest, Generation, StopReason
from python_runner.engines.outside.api_key import hide
from python_runner.engines.served.load_client import LoadClient, LoadShape, Sending
from python_runner.engines.served.refusals import refusal, without_query
from python_runner.engines.served.streaming import read_together

NOT_COUNTED = -1
"""A number of tokens that nobody has said."""
_POLL_S = 1.0
_MAY_DIFFER = 0.1
_MAY_DIFFER_TOKENS = 2

CountTokens = Callable[[str], int]


class Record(Protocol):
    """`polystack_stream.LoadRecord` of one request, as far as it is read here."""

    @property
    def sent_ns(self) -> bytes: ...
    @property
    def ended_ns(self) -> bytes: ...
    @property
    def status(self) -> bytes: ...
    @property
    def prompt_tokens(self) -> bytes: ...
    @property
    def output_tokens(self) -> bytes: ...
    @property
    def chunk_ns(self) -> bytes: ...
    @property
    def chunk_tokens(self) -> bytes: ...
    @property
    def chunk_reads(self) -> bytes: ...
    @property
    def error_kind(self) -> tuple[str, ...]: ...
    @property
    def error(self) -> tuple[str, ...]: ...
    @property
    def stop(self) -> tuple[str, ...]: ...
    @property
    def text(self) -> tuple[str, ...]: ...


def ask(client: LoadClient, endpoint: Endpoint, body: bytes, sending: Sending) -> Record:
    """Send one request over a connection of its own that stands before the clock starts.

    Raises:
        NotAnsweredError: no connection.
        UsageError: the URL makes no sense.
    """
    run = client.start(endpoint, [body], LoadShape(users=1, requests=1), sending)
    try:
        while not run.wait(_POLL_S):
            pass
    finally:
        run.cancel()
    return run.take()


def generation_of(
    record: Record,
    endpoint: Endpoint,
    request: GenerateRequest,
    *,
    secrets: Sequence[str] = (),
    count: CountTokens | None = None,
) -> Generation:
    """The answer in a record of one request.

    Tokens are those of the server's own count. Where it sends none they are counted by `count`;
    an answer that ended at the length that was asked for has that length, if this count comes
    near it: a text need not be cut into the tokens that it was made of.

    Raises:
        GenerationError: the request failed, or nobody has counted its tokens.
    """
    if not record.sent_ns or record.error_kind[0]:
        raise _failure(record, endpoint, secrets)
    stamps = tuple(int(one) for one in np.frombuffer(record.chunk_ns, dtype="<i8"))
    sizes = tuple(int(one) for one in np.frombuffer(record.chunk_tokens, dtype="<i4"))
    reads = np.frombuffer(record.chunk_reads, dtype="<i4")
    text = hide(record.text[0], secrets)
    ended = record.stop[0] == StopReason.END_OF_SEQUENCE.value
    counted = _int32(record.output_tokens)
    timings = {"chunks_read_together": float(read_together(int(one) for one in reads))}
    if counted == NOT_COUNTED:
        counted = _counted_here(text, request.new_tokens, ended=ended, count=count)
        timings["tokens_counted_by_a_tokenizer"] = float(counted)
    elif ended and len(sizes) == counted - 1 and all(size == 1 for size in sizes):
        counted -= 1  # the mark of the end is no part of the answer
    if counted == NOT_COUNTED:
        raise GenerationError(
            f"{without_query(endpoint.url)} does not say how many tokens it gave",
            hint="Name the folder of its model's tokenizer: --tokenizer FOLDER, or `tokenizer` "
            "of an endpoint in a study.",
        )
    return Generation(
        requested_ns=_int64(record.sent_ns),
        chunk_ns=stamps,
        chunk_tokens=sizes,
        ended_ns=_int64(record.ended_ns),
        prompt_tokens=_int32(record.prompt_tokens),
        output_tokens=counted,
        stop=StopReason.END_OF_SEQUENCE if ended else StopReason.LENGTH,
        text=text,
        token_ids=None,
        engine_timings=timings,
    )


def _counted_here(text: str, wanted: int, *, ended: bool, count: CountTokens | None) -> int:
    if count is None:
        return NOT_COUNTED
    found = count(text)
    is_near = abs(found - wanted) <= max(_MAY_DIFFER_TOKENS, _MAY_DIFFER * wanted)
    return wanted if is_near and not ended else found


def _failure(record: Record, endpoint: Endpoint, secrets: Sequence[str]) -> GenerationError:
    if not record.sent_ns:
        return GenerationError(f"{without_query(endpoint.url)} gave no answer")
    words = hide(record.error[0], secrets)
    return refusal(endpoint.url, record.error_kind[0], _int32(record.status), words)


def _int32(column: bytes) -> int:
    return int(np.frombuffer(column, dtype="<i4")[0])


def _int64(column: bytes) -> int:
    return int(np.frombuffer(column, dtype="<i8")[0])

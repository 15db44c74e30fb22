"""From Ollama's streamed chunks to a `Generation`.

What Ollama 0.17 sends, and what it means:

- A chunk a token, as long as each token is text of its own. A token that ends within a
  character waits for the next, and bytes that are no text are dropped, so there may be
  fewer chunks than tokens. Then which chunk held how many tokens is not known.
- `eval_count` counts the mark that ends an answer as a token, and sends no chunk for it.
- `eval_duration` leaves out the first token, whose time is part of `prompt_eval_duration`:
  eval_count / eval_duration is too fast by one token.
- When one token comes more than 30 times in a row, Ollama takes it for an endless loop and
  ends the answer, without an error and without the last message that carries the counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from python_runner.common.errors import GenerationError
from python_runner.engines.contract import Generation, StopReason
from python_runner.engines.served.message import (
    ADVICE,
    OLLAMA,
    MessageError,
    error_in,
    is_blank,
    message_in,
    said_by,
    shown,
)
from python_runner.engines.served.streaming import Stream, read_together

_COUNTS = ("prompt_eval_count", "eval_count")
_DURATIONS = ("total_duration", "load_duration", "prompt_eval_duration", "eval_duration")
_STOP_REASONS = {"length": StopReason.LENGTH, "stop": StopReason.END_OF_SEQUENCE}


@dataclass(frozen=True, kw_only=True)
class _Chunk:
    """A chunk that carries content."""

    text: str
    ns: int
    read_index: int


def generation_of(stream: Stream, *, new_tokens: int) -> Generation:
    """The answer in `stream`.

    `engine_timings` gets Ollama's own durations and counts, and `chunks_read_together`: how
    many chunks came in one read with the chunk before, so that the gap of 0 ns between the
    two is an accident of reading.

    Raises GenerationError if Ollama reports one, if its last message is missing, or if the
    number of tokens contradicts the stream or what was asked for.
    """
    with said_by("Ollama"):
        messages = _messages(stream)
    last = _last_message(list(messages.values()))
    chunks = [
        _Chunk(text=text, ns=stream.event_ns[number], read_index=stream.read_index[number])
        for number, message in messages.items()
        if (text := message.get("response") or "")
    ]
    stop = _stop_reason(last)
    evaluated = _number(last, "eval_count")
    if chunks and not evaluated:
        raise GenerationError("Ollama does not say how many tokens it gave", hint=ADVICE)
    if len(chunks) > evaluated:
        raise GenerationError(
            f"Ollama counts {evaluated} tokens, and sent {len(chunks)}",
            hint="Its counts cannot be believed: no figure can be made of this answer.",
        )
    tokens = max(0, evaluated - 1) if stop is StopReason.END_OF_SEQUENCE else evaluated
    if stop is StopReason.LENGTH and tokens != new_tokens:
        raise GenerationError(
            f"Ollama gave {tokens} tokens instead of {new_tokens}",
            hint="Prompt and answer must fit into the context.",
        )
    return Generation(
        requested_ns=stream.requested_ns,
        chunk_ns=tuple(chunk.ns for chunk in chunks),
        chunk_tokens=(1 if len(chunks) == tokens else 0,) * len(chunks),
        ended_ns=stream.ended_ns,
        prompt_tokens=_number(last, "prompt_eval_count"),
        output_tokens=tokens,
        stop=stop,
        text="".join(chunk.text for chunk in chunks),
        token_ids=None,
        engine_timings={
            **{f"{name}_ns": float(_number(last, name)) for name in _DURATIONS},
            **{name: float(_number(last, name)) for name in _COUNTS},
            "chunks_read_together": float(read_together(chunk.read_index for chunk in chunks)),
        },
    )


def _messages(stream: Stream) -> dict[int, Mapping[str, Any]]:
    """The messages by the numbers of their events. Raises MessageError."""
    found: dict[int, Mapping[str, Any]] = {}
    is_over = False
    for number, event in enumerate(stream.events):
        if is_blank(event):
            continue
        message = _message(event)
        if is_over:
            raise MessageError(f"more after the end of its answer: {shown(event)}")
        is_over = bool(message["done"])
        found[number] = message
    return found


def _message(event: bytes) -> Mapping[str, Any]:
    message = message_in(event, OLLAMA)
    if reason := error_in(message):
        raise GenerationError(f"Ollama: {reason}", hint=ADVICE)
    if message.get("done") is None:
        raise MessageError(f"what is no message: {shown(event)}")
    return message


def _last_message(messages: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    if not messages or not messages[-1].get("done"):
        raise GenerationError(
            f"Ollama broke its answer off after {len(messages)} chunks, without a reason",
            hint="It does so when the same token comes more than 30 times in a row: try "
            "another prompt or fewer tokens.",
        )
    return messages[-1]


def _stop_reason(last: Mapping[str, Any]) -> StopReason:
    reason = last.get("done_reason")
    if reason not in _STOP_REASONS:
        raise GenerationError(f"Ollama ended its answer for the reason {reason!r}", hint=ADVICE)
    return _STOP_REASONS[reason]


def _number(last: Mapping[str, Any], name: str) -> int:
    # Go leaves out what is zero.
    value = last.get(name, 0)
    if not isinstance(value, int) or isinstance(value, bool):
        raise GenerationError(f"Ollama gave {value!r} as {name}", hint=ADVICE)
    return value

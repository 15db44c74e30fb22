"""The native protocol of llama.cpp's server, which llamafile speaks as well.

What it answers to `/completion` with `stream`, and what it means:

- An event for each token, but for a token that ends within a character: that one comes with
  the token that completes the character, and its id is then never sent. Newer servers say in
  each event how many tokens there are by then; llamafile 0.9 does not, and sends no ids.
- The mark that ends an answer is counted as a token and has an event of its own, the last.
- `prompt_ms` ends, and `predicted_ms` begins, when the first token is chosen: predicted_n /
  predicted_ms is too fast by one token.
- In mid-answer an error is an event too (newer), or a line that is no event (0.9).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from python_runner.common.errors import GenerationError
from python_runner.engines.contract import GenerateRequest, Generation, StopReason
from python_runner.engines.served.message import (
    ADVICE,
    LLAMA,
    MessageError,
    error_in,
    figure_in,
    is_blank,
    message_in,
    said_by,
    shown,
)
from python_runner.engines.served.streaming import NotAnsweredError, Stream, read_together

_TIMINGS = ("cache_n", "prompt_n", "prompt_ms", "predicted_n", "predicted_ms")
_STOP_TYPES = {"limit": StopReason.LENGTH, "eos": StopReason.END_OF_SEQUENCE}
# Nothing but the largest logit decides: one candidate, no penalty, no stop word. Newer
# servers run the samplers that are named; 0.9 takes the largest logit at temperature 0.
_GREEDY: dict[str, object] = {
    "samplers": ["top_k"],
    "top_k": 1,
    "temperature": 0.0,
    "repeat_last_n": 0,
    "repeat_penalty": 1.0,
    "presence_penalty": 0.0,
    "frequency_penalty": 0.0,
    "mirostat": 0,
    "stop": [],
}


@dataclass(frozen=True, kw_only=True)
class _Chunk:
    """One event before the last."""

    text: str
    ids: tuple[int, ...]
    predicted: int | None
    """Tokens of the answer by then; None if the server does not say."""
    ns: int
    read_index: int


def request_body(request: GenerateRequest, *, cache_prompt: bool = False) -> bytes:
    """The JSON of a request: the prompt as ids, greedy, nothing taken from a cache unless asked."""
    return json.dumps(
        {
            "prompt": list(request.prompt_ids),
            "n_predict": request.new_tokens,
            "ignore_eos": request.ignore_end_of_sequence,
            "stream": True,
            "return_tokens": True,
            "cache_prompt": cache_prompt,
            "seed": request.seed,
            **_GREEDY,
        }
    ).encode()


def generation_of(
    stream: Stream, *, title: str, new_tokens: int, may_cache: bool = False
) -> Generation:
    """The answer in `stream`; `title` names the server in errors.

    `engine_timings` gets the server's own counts and milliseconds, and
    `chunks_read_together`: how many chunks came in one read with the chunk before, so that
    the gap of 0 ns between the two is an accident of reading.

    Raises GenerationError if the server reports one, if the number of tokens contradicts the
    stream or is not the one that was asked for, or if the prompt was not computed whole and may
    not be taken from a cache; NotAnsweredError if the last message is missing.
    """
    with said_by(title):
        messages = _messages(stream, title)
        last = messages[max(messages)] if messages else {}
        if not last.get("stop"):
            raise NotAnsweredError(
                f"{title} broke its answer off after {len(messages)} chunks", hint=ADVICE
            )
        timings = _timings(last, title)
        chunks = _chunks(messages, stream)
    if not may_cache:
        _check_prompt(last, timings, title)
    stop = _stop_reason(last, title)
    tokens = _count(last, "tokens_predicted", title)
    _check_count(chunks, tokens, stop, title)
    if stop is StopReason.END_OF_SEQUENCE:
        if chunks and chunks[-1].predicted in (None, tokens):
            chunks.pop()
        tokens -= 1
    elif tokens != new_tokens:
        raise GenerationError(
            f"{title} gave {tokens} tokens instead of {new_tokens}",
            hint="Prompt and answer must fit into the context.",
        )
    counts = _tokens_of_chunks(chunks, tokens)
    stamps = [chunk.ns for chunk in chunks]
    if all(counts) and sum(counts) < tokens:
        # The answer ends within a character. Only the last message tells of these tokens.
        counts.append(tokens - sum(counts))
        stamps.append(stream.event_ns[max(messages)])
    return Generation(
        requested_ns=stream.requested_ns,
        chunk_ns=tuple(stamps),
        chunk_tokens=tuple(counts),
        ended_ns=stream.ended_ns,
        prompt_tokens=_count(last, "tokens_evaluated", title),
        output_tokens=tokens,
        stop=stop,
        text="".join(chunk.text for chunk in chunks),
        token_ids=_token_ids(chunks, tokens),
        engine_timings={
            **timings,
            "chunks_read_together": float(read_together(chunk.read_index for chunk in chunks)),
        },
    )


def _messages(stream: Stream, title: str) -> dict[int, Mapping[str, Any]]:
    """The messages by the numbers of their events. Raises MessageError."""
    found: dict[int, Mapping[str, Any]] = {}
    is_over = False
    for number, event in enumerate(stream.events):
        if is_blank(event):
            continue
        message = _message(event, title)
        if is_over:
            raise MessageError(f"more after the end of its answer: {shown(event)}")
        is_over = bool(message["stop"])
        found[number] = message
    return found


def _message(event: bytes, title: str) -> Mapping[str, Any]:
    message = message_in(event, LLAMA)
    if reason := error_in(message):
        raise GenerationError(f"{title}: {reason}", hint=ADVICE)
    if message.get("content") is None or message.get("stop") is None:
        raise MessageError(f"what is no message: {shown(event)}")
    return message


def _chunks(messages: Mapping[int, Mapping[str, Any]], stream: Stream) -> list[_Chunk]:
    """Those with content: text, or a token without text of its own. The last has none as a rule."""
    found: list[_Chunk] = []
    before = 0
    for number, message in messages.items():
        predicted = message.get("tokens_predicted")
        ids = tuple(message.get("tokens") or ())
        is_more = not message["stop"] and (ids if predicted is None else predicted > before)
        if not message["content"] and not is_more:
            continue
        if not all(isinstance(each, int) for each in ids):
            raise MessageError("ids of tokens that are no numbers")
        before = predicted or before
        chunk = _Chunk(
            text=message["content"],
            ids=ids,
            predicted=predicted,
            ns=stream.event_ns[number],
            read_index=stream.read_index[number],
        )
        found.append(chunk)
    return found


def _timings(last: Mapping[str, Any], title: str) -> dict[str, float]:
    """The server's own figures under its own names. 0.9 does not say `cache_n`."""
    found = last.get("timings")
    if not isinstance(found, dict):
        raise GenerationError(f"{title} gave no timings", hint=ADVICE)
    said = {name: figure_in(found, name) for name in _TIMINGS}
    return {name: value for name, value in said.items() if value is not None}


def _check_prompt(last: Mapping[str, Any], timings: Mapping[str, float], title: str) -> None:
    computed, whole = timings.get("prompt_n"), _count(last, "tokens_evaluated", title)
    if computed != whole:
        raise GenerationError(
            f"{title} computed {computed or 0:.0f} of the prompt's {whole} tokens and took the "
            "others from its cache, which was to be off",
            hint=ADVICE,
        )


def _stop_reason(last: Mapping[str, Any], title: str) -> StopReason:
    if "stop_type" not in last:  # 0.9
        if last.get("stopped_eos"):
            return StopReason.END_OF_SEQUENCE
        if last.get("stopped_limit"):
            return StopReason.LENGTH
    stop_type = last.get("stop_type")
    if stop_type not in _STOP_TYPES:
        raise GenerationError(f"{title} ended its answer for the reason {stop_type!r}", hint=ADVICE)
    return _STOP_TYPES[stop_type]


def _count(last: Mapping[str, Any], name: str, title: str) -> int:
    value = last.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise GenerationError(f"{title} gave {value!r} as {name}", hint=ADVICE)
    return value


def _tokens_of_chunks(chunks: Sequence[_Chunk], tokens: int) -> list[int]:
    """How many tokens each chunk held; all 0 if that is not known."""
    so_far = [chunk.predicted for chunk in chunks if chunk.predicted is not None]
    if len(so_far) == len(chunks):
        counts = [after - before for before, after in pairwise([0, *so_far])]
        if all(count > 0 for count in counts):
            return counts
    return [1 if len(chunks) == tokens else 0] * len(chunks)


def _check_count(chunks: Sequence[_Chunk], tokens: int, stop: StopReason, title: str) -> None:
    """A chunk with content is a token at least. Raises GenerationError if more came than that.

    A running count that goes backwards tells of none. What the last message counts beyond the one
    before came with it.
    """
    so_far = [chunk.predicted for chunk in chunks if chunk.predicted is not None]
    told = sum(max(0, after - before) for before, after in pairwise([0, *so_far]))
    content = tokens - (stop is StopReason.END_OF_SEQUENCE)
    rest = max(0, content - so_far[-1]) if so_far else 0
    sent = max(len(chunks) + (rest > 0), told + rest)
    if sent > tokens:
        raise GenerationError(
            f"{title} counts {tokens} tokens, and sent {sent}",
            hint="Its counts cannot be believed: no figure can be made of this answer.",
        )


def _token_ids(chunks: Sequence[_Chunk], tokens: int) -> tuple[int, ...] | None:
    """All ids of the answer; None if one of them was never sent."""
    ids = tuple(number for chunk in chunks for number in chunk.ids)
    return ids if len(ids) == tokens else None

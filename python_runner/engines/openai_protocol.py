"""OpenAI's streams, as servers that we start answer them: chunks of text, counts at the end.

A chunk has as many tokens as the server gives ids with it; else it is one where there are as many
chunks as tokens. The mark that ends an answer is counted as a token by the servers that were
looked at; here it is no part of the answer.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from python_runner.common.errors import GenerationError
from python_runner.engines.contract import Generation, StopReason
from python_runner.engines.streaming import NotAnsweredError, Stream, read_together

_DONE = b"[DONE]"
_STOPS = {"length": StopReason.LENGTH, "stop": StopReason.END_OF_SEQUENCE}
_LONGEST = 200


@dataclass(frozen=True, kw_only=True)
class Piece:
    """What one choice of a chunk carries."""

    text: str
    ids: tuple[int, ...] = ()
    """Of its tokens; empty if the server does not say."""
    tokens: int = 0
    """How many it holds, where the server says that and no ids."""

    @property
    def has_content(self) -> bool:
        return bool(self.text or self.ids or self.tokens)

    @property
    def count(self) -> int:
        """How many tokens it holds; 0: not said."""
        return len(self.ids) or self.tokens


@dataclass(frozen=True, kw_only=True)
class Dialogue:
    """How one server's answers are to be read."""

    title: str
    """Names the server in errors."""
    piece: Callable[[Mapping[str, Any]], Piece]
    """Reads one choice."""
    decode: Callable[[Sequence[int]], str] | None = None
    """Makes the text of the ids where all are known; None: the text is as it was sent."""
    timings: Sequence[str] = ()
    """The server's own figures, by their names in `usage`."""
    stops: Mapping[str, StopReason] = field(default_factory=lambda: _STOPS)
    """Its words for the reason of the end."""
    end_is_counted: bool = True
    """Whether the mark that ends an answer is among the tokens that it counts."""
    counts_its_chunks: bool = False
    """Whether the chunks say how many tokens they hold, and `usage` does not count what was
    generated. Then that is how the end is known, too."""


class EndMissingError(NotAnsweredError):
    """The stream ended in order, and has neither the reason nor the counts."""


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How an answer ended, where the stream itself does not tell."""

    finish: str
    usage: Mapping[str, Any]


@dataclass(kw_only=True)
class _Answer:
    """What has been read of a stream."""

    pieces: list[Piece] = field(default_factory=list)
    events: list[int] = field(default_factory=list)
    """For each piece, the number of its event."""
    finish: str = ""
    usage: Mapping[str, Any] = field(default_factory=dict)


def generation_of(
    stream: Stream, dialogue: Dialogue, *, new_tokens: int, ending: Ending | None = None
) -> Generation:
    """The answer in `stream`.

    `engine_timings` gets the server's own figures, and `chunks_read_together`: how many chunks
    came in one read with the chunk before, so that their gap of 0 ns is an accident of reading.

    Args:
        stream: as it was read.
        dialogue: how to read it.
        new_tokens: how many were asked for.
        ending: what to take for the end where the stream has none. Tokens that no chunk told of
            then get the stamp of the stream's end.

    Raises:
        EndMissingError: the stream has no end, and none was given.
        GenerationError: the server reports an error, or a number of tokens that is not the one
            that was asked for.
    """
    title = dialogue.title
    answer = _read(stream, dialogue)
    stamps = [stream.event_ns[number] for number in answer.events]
    if not answer.finish:
        if ending is None:
            raise EndMissingError(f"{title} broke its answer off after {len(stamps)} chunks")
        answer.finish, answer.usage = ending.finish, ending.usage
        stamps.append(stream.ended_ns)
    tokens, stop = _end(answer, dialogue, new_tokens)
    if stop is StopReason.END_OF_SEQUENCE:
        if dialogue.end_is_counted:
            tokens -= 1
        _drop_mark(answer.pieces, stamps, tokens)
    elif tokens != new_tokens:
        raise GenerationError(
            f"{title} gave {tokens} tokens instead of {new_tokens}",
            hint="Prompt and answer must fit into the context.",
        )
    ids = tuple(number for piece in answer.pieces for number in piece.ids)
    known = len(ids) == tokens
    text = dialogue.decode(ids) if dialogue.decode and known else _joined(answer.pieces)
    return Generation(
        requested_ns=stream.requested_ns,
        chunk_ns=tuple(stamps),
        chunk_tokens=_tokens_of_chunks(answer.pieces, len(stamps), tokens),
        ended_ns=stream.ended_ns,
        prompt_tokens=_count(answer.usage, "prompt_tokens", title),
        output_tokens=tokens,
        stop=stop,
        text=text,
        token_ids=ids if known else None,
        engine_timings=_timings(answer, stream, dialogue),
    )


def _end(answer: _Answer, dialogue: Dialogue, new_tokens: int) -> tuple[int, StopReason]:
    """How many tokens the server counts, and why it ended."""
    stop = dialogue.stops.get(answer.finish)
    if stop is None:
        raise GenerationError(f"{dialogue.title} ended its answer for the reason {answer.finish!r}")
    if not dialogue.counts_its_chunks:
        return _count(answer.usage, "completion_tokens", dialogue.title), stop
    tokens = sum(piece.count for piece in answer.pieces)
    return tokens, StopReason.LENGTH if tokens >= new_tokens else StopReason.END_OF_SEQUENCE


def _drop_mark(pieces: list[Piece], stamps: list[int], tokens: int) -> None:
    """Take the mark that ends an answer of so many tokens out of its chunks, if it is there."""
    if not pieces:
        return
    last = pieces[-1]
    told = sum(piece.count for piece in pieces)
    if told == tokens + 1 and last.count > 1:  # in one chunk with tokens before it
        pieces[-1] = replace(last, ids=last.ids[:-1], tokens=max(0, last.tokens - 1))
    elif len(stamps) == tokens + 1 or (told == tokens + 1 and last.count == 1):
        pieces.pop()
        stamps.pop()


def _tokens_of_chunks(pieces: Sequence[Piece], chunks: int, tokens: int) -> tuple[int, ...]:
    """How many tokens each chunk holds; 0: not known."""
    said = tuple(piece.count for piece in pieces)
    if len(said) == chunks and all(said) and sum(said) == tokens:
        return said
    return (1 if len(pieces) == tokens else 0,) * chunks


def _read(stream: Stream, dialogue: Dialogue) -> _Answer:
    answer = _Answer()
    for number, event in enumerate(stream.events):
        if event.strip() == _DONE:
            break
        message = _message(event, dialogue.title)
        answer.usage = message.get("usage") or answer.usage
        for choice in (message.get("choices") or ())[:1]:
            piece = dialogue.piece(choice)
            if piece.has_content:
                answer.pieces.append(piece)
                answer.events.append(number)
            answer.finish = choice.get("finish_reason") or answer.finish
    return answer


def _message(event: bytes, title: str) -> Mapping[str, Any]:
    """One chunk. What is none is the server's way to tell of an error."""
    try:
        message = json.loads(event)
    except ValueError as error:
        raise GenerationError(f"{title}: {_shown(event)}") from error
    if not isinstance(message, dict):
        raise GenerationError(f"{title} sent what is no message: {_shown(event)}")
    if reason := message.get("error"):
        text = reason.get("message", reason) if isinstance(reason, dict) else reason
        raise GenerationError(f"{title}: {text}")
    return message


def _shown(event: bytes) -> str:
    return event[:_LONGEST].decode(errors="replace")


def _joined(pieces: Sequence[Piece]) -> str:
    return "".join(piece.text for piece in pieces)


def _timings(answer: _Answer, stream: Stream, dialogue: Dialogue) -> dict[str, float]:
    reads = (stream.read_index[number] for number in answer.events)
    own = {name: answer.usage.get(name) for name in dialogue.timings}
    return {
        **{name: float(value) for name, value in own.items() if value is not None},
        "chunks_read_together": float(read_together(reads)),
    }


def _count(usage: Mapping[str, Any], name: str, title: str) -> int:
    value = usage.get(name)
    if not isinstance(value, int):
        raise GenerationError(f"{title} gave {value!r} as {name}")
    return value

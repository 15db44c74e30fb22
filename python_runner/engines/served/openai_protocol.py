"""OpenAI's streams, as servers that we start answer them: chunks of text, counts at the end.

A chunk has as many tokens as the server gives ids with it; else it is one where there are as many
chunks as tokens. The mark that ends an answer is counted as a token by the servers that were
looked at; here it is no part of the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from python_runner.common.errors import GenerationError
from python_runner.engines.contract import Generation, StopReason
from python_runner.engines.served.message import (
    ADVICE,
    OPENAI,
    MessageError,
    NoJsonError,
    error_in,
    figure_in,
    is_blank,
    message_in,
    printable,
    said_by,
)
from python_runner.engines.served.streaming import NotAnsweredError, Stream, read_together

_DONE = b"[DONE]"
_STOPS = {"length": StopReason.LENGTH, "stop": StopReason.END_OF_SEQUENCE}
_LONGEST = 200
_SIGNS = ("choices", "usage", "object", "id")
"""A message has one of these at least."""


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
    usage: dict[str, Any] = field(default_factory=dict)
    is_done: bool = False
    """Whether the mark of the end has come."""

    def has_all(self, tokens: int) -> bool:
        """Whether it is whole though no reason of its end was given."""
        return self.is_done and self.usage.get("completion_tokens") == tokens


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
        GenerationError: the server reports an error, sends what is no message, or counts tokens
            that contradict the stream or what was asked for.
    """
    title = dialogue.title
    with said_by(title):
        answer = _read(stream, dialogue)
    stamps = [stream.event_ns[number] for number in answer.events]
    if not answer.finish and ending is not None:
        answer.finish, answer.usage = ending.finish, dict(ending.usage)
        stamps.append(stream.ended_ns)
    elif not answer.finish and not answer.has_all(new_tokens):
        raise EndMissingError(
            f"{title} broke its answer off after {len(stamps)} chunks", hint=ADVICE
        )
    tokens, stop = _end(answer, dialogue, new_tokens)
    _check_count(answer, dialogue, tokens)
    with said_by(title):
        timings = _timings(answer, stream, dialogue)
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
        engine_timings=timings,
    )


def _end(answer: _Answer, dialogue: Dialogue, new_tokens: int) -> tuple[int, StopReason]:
    """How many tokens the server counts, and why it ended."""
    stop = dialogue.stops.get(answer.finish) if answer.finish else StopReason.LENGTH
    if stop is None:
        raise GenerationError(
            f"{dialogue.title} ended its answer for the reason {answer.finish!r}", hint=ADVICE
        )
    if not dialogue.counts_its_chunks:
        return _count(answer.usage, "completion_tokens", dialogue.title), stop
    tokens = sum(piece.count for piece in answer.pieces)
    return tokens, StopReason.LENGTH if tokens >= new_tokens else StopReason.END_OF_SEQUENCE


def _check_count(answer: _Answer, dialogue: Dialogue, tokens: int) -> None:
    """A chunk with content is a token at least. Raises GenerationError if more came than that."""
    said = max(len(answer.pieces), sum(piece.count for piece in answer.pieces))
    if said > tokens and not dialogue.counts_its_chunks:
        # A mark that is sent and not counted is one of them.
        if answer.finish in dialogue.stops and said == tokens + 1 and not dialogue.end_is_counted:
            return
        raise GenerationError(
            f"{dialogue.title} counts {tokens} tokens, and sent {said}",
            hint="Its counts cannot be believed: no figure can be made of this answer.",
        )


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
    """Raises MessageError, and GenerationError if the server reports an error."""
    answer = _Answer()
    for number, event in enumerate(stream.events):
        if event.strip() == _DONE:
            answer.is_done = True
        elif answer.is_done and not is_blank(event):
            raise MessageError(f"more after the end of its answer: {_shown(event)}")
        elif not is_blank(event):
            _take(answer, _message(event, dialogue.title), dialogue, number)
    return answer


def _take(answer: _Answer, message: Mapping[str, Any], dialogue: Dialogue, number: int) -> None:
    """Add what the event of that number says."""
    usage = message.get("usage") or {}
    answer.usage |= {name: value for name, value in usage.items() if value is not None}
    for choice in (message.get("choices") or ())[:1]:
        piece = _piece(choice, dialogue)
        if piece.has_content:
            answer.pieces.append(piece)
            answer.events.append(number)
        answer.finish = choice.get("finish_reason") or answer.finish


def _piece(choice: Mapping[str, Any], dialogue: Dialogue) -> Piece:
    try:
        piece = dialogue.piece(choice)
    except (TypeError, AttributeError, LookupError, ValueError) as error:
        raise MessageError(f"a chunk of another kind than it should be ({error})") from error
    if not isinstance(piece.text, str) or not all(isinstance(each, int) for each in piece.ids):
        raise MessageError("a chunk of another kind than it should be")
    return piece


def _message(event: bytes, title: str) -> Mapping[str, Any]:
    """One chunk. What is no JSON is the way of some servers to tell of an error."""
    try:
        message = message_in(event, OPENAI)
    except NoJsonError as error:
        raise GenerationError(f"{title}: {_shown(event)}", hint=ADVICE) from error
    if reason := error_in(message):
        raise GenerationError(f"{title}: {reason}", hint=ADVICE)
    if all(message.get(name) is None for name in _SIGNS):
        raise MessageError(f"what is no message: {_shown(event)}")
    return message


def _shown(event: bytes) -> str:
    return printable(event[:_LONGEST].decode(errors="replace"))


def _joined(pieces: Sequence[Piece]) -> str:
    return "".join(piece.text for piece in pieces)


def _timings(answer: _Answer, stream: Stream, dialogue: Dialogue) -> dict[str, float]:
    reads = (stream.read_index[number] for number in answer.events)
    own = {name: figure_in(answer.usage, name) for name in dialogue.timings}
    return {
        **{name: value for name, value in own.items() if value is not None},
        "chunks_read_together": float(read_together(reads)),
    }


def _count(usage: Mapping[str, Any], name: str, title: str) -> int:
    value = usage.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise GenerationError(f"{title} gave {value!r} as {name}", hint=ADVICE)
    return value

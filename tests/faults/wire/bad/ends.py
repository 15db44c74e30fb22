"""Wrong counts, and answers that end too early, too late or not at all."""

from __future__ import annotations

from tests.faults.wire.bad.spoil import LIMIT_S, with_count
from tests.faults.wire.case import Case
from tests.faults.wire.raw_server import Then, chunked, head
from tests.faults.wire.spoken import Spoken

_CLOSED = "closed the connection within its answer"


def _with_length(spoken: Spoken, more: int, parts: list[bytes]) -> list[bytes]:
    body = b"".join(parts)
    return [head(spoken.media_type, f"Content-Length: {len(body) + more}"), body]


ENDS = (
    Case(
        name="no-counts",
        what="no usage",
        injected="the stream ends without any count",
        pieces=lambda spoken: with_count(spoken, None),
        why="does not say how many tokens|None as|0 tokens instead",
        seen="an error: nobody says how many tokens it gave",
    ),
    Case(
        name="wrong-count",
        what="a wrong usage: more than was asked for",
        injected="nine tokens counted where four came",
        pieces=lambda spoken: with_count(spoken, 9),
        why="9 tokens",
        seen="an error: 9 tokens where 4 were asked for",
    ),
    Case(
        name="too-few-counted",
        what="a wrong usage: as asked for, and nine chunks came",
        injected="nine chunks with text, four tokens counted",
        pieces=lambda spoken: chunked([*spoken.tokens("abcdefghi"), *spoken.end()]),
        why="counts 4 tokens, and sent 9",
    ),
    Case(
        name="after-the-end",
        what="tokens after [DONE], or after the last message",
        injected="one more chunk with text",
        pieces=lambda spoken: chunked([*spoken.whole(), *spoken.tokens(("x",))]),
        why="more after the end of its answer",
    ),
    Case(
        name="no-end",
        what="neither [DONE] nor a reason of the end",
        injected="the body ends in order after four tokens",
        pieces=lambda spoken: chunked(spoken.tokens()),
        why="broke its answer off|ends without a mark",
        seen="an error: it broke its answer off",
    ),
    Case(
        name="closed-chunked",
        what="connection closed early, chunked",
        injected="closed after two tokens",
        pieces=lambda spoken: chunked(spoken.tokens()[:2])[:-1],
        why=_CLOSED,
    ),
    Case(
        name="closed-in-a-size",
        what="connection closed within the size of a chunk",
        injected="closed after the `1` of `1f`",
        pieces=lambda spoken: [*chunked(spoken.tokens()[:2])[:-1], b"1"],
        why=_CLOSED,
    ),
    Case(
        name="closed-length",
        what="Content-Length too long, connection closed",
        injected="nine bytes more than came",
        pieces=lambda spoken: _with_length(spoken, 9, spoken.whole()),
        why=_CLOSED,
    ),
    Case(
        name="held-length",
        what="Content-Length too long, connection open, no end of the stream",
        injected="nine bytes more than came, then silence",
        pieces=lambda spoken: _with_length(spoken, 9, spoken.tokens()),
        then=Then.HOLD,
        timeout_s=LIMIT_S,
        why=r"no end of the answer after 0\.4 s",
    ),
    Case(
        name="short-length",
        what="Content-Length too short",
        injected="it ends within the third event",
        pieces=lambda spoken: [
            head(spoken.media_type, f"Content-Length: {len(b''.join(spoken.tokens()[:2])) + 7}"),
            b"".join(spoken.whole()),
        ],
        why="broke its answer off|ends without a mark|no message|no JSON",
        seen="an error: it broke its answer off",
    ),
    Case(
        name="two-lengths",
        what="two lengths that differ",
        injected="Content-Length: 5 and Content-Length: 6",
        pieces=lambda spoken: [
            head(spoken.media_type, "Content-Length: 5", "Content-Length: 6"),
            b"".join(spoken.whole()),
        ],
        why="it has two lengths",
    ),
    Case(
        name="closed-in-an-event",
        what="connection closed within an event, where its end ends the body",
        injected="closed within the last document",
        pieces=lambda spoken: [
            head(spoken.media_type),
            b"".join([*spoken.tokens(), spoken.event(spoken.ending()[0])[:-9]]),
        ],
        why="broke its answer off|ends without a mark|no message|no JSON",
        seen="an error: it broke its answer off",
    ),
)

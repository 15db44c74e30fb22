"""Answers that are no answer: both readers must say so."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

from tests.faults.wire.case import Case
from tests.faults.wire.raw_server import Then, chunk, chunked, head
from tests.faults.wire.spoken import OPENAI, SSE, TEXTS, Spoken

_TRANSFER = "Transfer-Encoding: chunked"
_MIB = 1 << 20
_NO_MESSAGE = r"no (stream|message|JSON)|the server: \{"
_NO_JSON_SEEN = "an error: what is no JSON, and its beginning"
_CLOSED = "closed the connection within its answer"
_LIMIT_S = 0.4
_PAGE = b"<!doctype html><html><body><h1>500</h1>" + b"<p>Oh no!</p>" * 400


def _with_length(spoken: Spoken, more: int, parts: list[bytes]) -> list[bytes]:
    body = b"".join(parts)
    return [head(spoken.media_type, f"Content-Length: {len(body) + more}"), body]


def _refusal(
    status: str, body: bytes, *headers: str, kind: str = "application/json"
) -> list[bytes]:
    return [head(kind, f"Content-Length: {len(body)}", *headers, status=status), body]


def _spoilt(spoken: Spoken, payload: bytes) -> list[bytes]:
    """A good answer whose third event is `payload`."""
    events = spoken.whole()
    return chunked([*events[:2], spoken.event(payload), *events[2:]])


def _with_count(spoken: Spoken, number: object) -> list[bytes]:
    return chunked([*spoken.tokens(), *spoken.end(number)])


def _named_twice(spoken: Spoken) -> list[bytes]:
    said = spoken.event(spoken.token("y"))
    names = (b'"choices":', b'"response":', b'"done":', b'"content":')
    name = next(name for name in names if name in said)
    value = {b'"choices":': b"[]", b'"done":': b"false"}.get(name, b'"x"')
    twice = said.replace(b"{", b"{" + name + value + b",", 1)
    return chunked([*spoken.tokens(TEXTS[:1]), twice, *spoken.tokens(TEXTS[1:]), *spoken.end()])


def _large_event(spoken: Spoken) -> Iterator[bytes]:
    yield head(spoken.media_type)
    yield b'data: {"x":"' if spoken.is_sse else b'{"x":"'
    for _ in range(64):
        yield b"x" * _MIB
    yield b'"}\n\n'
    yield from spoken.whole()


def _endless_head(_: Spoken) -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\n"
    number = 0
    while True:
        number += 1
        yield b"X-%d: %s\r\n" % (number, b"x" * 1000)


def _endless_header(_: Spoken) -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nX: "
    while True:
        yield b"x" * 1000


def _drip(spoken: Spoken) -> Iterator[bytes]:
    yield head(spoken.media_type, _TRANSFER)
    yield chunk(spoken.whole()[0])
    while True:
        yield chunk(b" ")


def _gzip(spoken: Spoken) -> list[bytes]:
    body = gzip.compress(b"".join(spoken.whole()))
    return [head(spoken.media_type, "Content-Encoding: gzip", f"Content-Length: {len(body)}"), body]


def _busy(after: str) -> Case:
    name = {"17": "seconds", "Fri": "date"}.get(after[:3], "overlong")
    shown = after if len(after) < 100 else f"{after[:90]}…"
    return Case(
        name=f"429-{name}",
        what=f"429 with Retry-After ({name})",
        injected="a refusal with a page of 5 kB as its body",
        pieces=lambda _: _refusal("429 Too Many Requests", _PAGE, f"Retry-After: {after}"),
        why=rf"429.*Retry-After: {after[:90]}",
        seen=f"an error: 429 (Retry-After: {shown[:40]})",
    )


BAD = (
    Case(
        name="no-counts",
        what="no usage",
        injected="the stream ends without any count",
        pieces=lambda spoken: _with_count(spoken, None),
        why="does not say how many tokens|None as|0 tokens instead",
        seen="an error: nobody says how many tokens it gave",
    ),
    Case(
        name="wrong-count",
        what="a wrong usage: more than was asked for",
        injected="nine tokens counted where four came",
        pieces=lambda spoken: _with_count(spoken, 9),
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
        timeout_s=_LIMIT_S,
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
    Case(
        name="error-in-the-stream",
        what="200, then an error object in the stream",
        injected="`error` with a message, after two tokens",
        pieces=lambda spoken: _spoilt(spoken, b'{"error":{"code":500,"message":"out of memory"}}'),
        why="out of memory",
    ),
    Case(
        name="error-as-a-whole",
        what="200 and an error object as the whole body, no stream",
        injected="application/json with `error`",
        pieces=lambda _: _refusal("200 OK", b'{"error":{"message":"out of memory"}}\n'),
        why="out of memory",
    ),
    Case(
        name="error-object",
        what="200, then an object that is an error",
        injected="`object: error` with a message, as older servers write it",
        pieces=lambda spoken: _spoilt(spoken, b'{"object":"error","message":"out of memory"}'),
        dialects=OPENAI,
        why="out of memory",
    ),
    Case(
        name="page",
        what="200 and a page",
        injected="HTML in place of a stream",
        pieces=lambda _: _refusal("200 OK", _PAGE, kind="text/html"),
        why=_NO_MESSAGE,
        seen="an error: it answered with what is no stream, and its beginning",
    ),
    _busy("17"),
    _busy("Fri, 31 Dec 2027 23:59:59 GMT"),
    _busy("9" * 9000),
    Case(
        name="500-page",
        what="500 with a page of HTML",
        injected="a page of 5 kB",
        pieces=lambda _: _refusal("500 Internal Server Error", _PAGE, kind="text/html"),
        why=r"500.*<!doctype html>(?!.{400})",
        seen="an error: 500, and the beginning of the page",
    ),
    Case(
        name="500-cut",
        what="500, and the connection closed within its words",
        injected="Content-Length longer than the body",
        pieces=lambda _: [
            head("text/plain", "Content-Length: 99", status="500 No"),
            b"out of memory",
        ],
        why="500.*out of memory",
    ),
    Case(
        name="redirect",
        what="a redirect",
        injected="307 with Location",
        pieces=lambda _: _refusal("307 Moved", b"", "Location: http://127.0.0.1:9/elsewhere"),
        why=r"307.*it sends us on to http://127\.0\.0\.1:9/elsewhere",
        seen="an error that says where to; it is not followed",
    ),
    Case(
        name="gzip",
        what="gzip although it was not asked for",
        injected="the body packed, and a header that says so",
        pieces=_gzip,
        why=r"packed \(gzip\), which nobody asked for",
        seen="an error: its answer is packed (gzip), which nobody asked for",
    ),
    Case(
        name="64-mib-event",
        what="an event of 64 MiB",
        injected="one JSON text of that size",
        pieces=_large_event,
        pause_s=0.0,
        why="larger than 8 MiB",
        seen="an error: an event is larger than 8 MiB",
    ),
    Case(
        name="endless-headers",
        what="headers without end",
        injected="1 kB each, until the client closes",
        pieces=_endless_head,
        pause_s=0.0,
        why="not HTTP: (too many headers|its head has no end)",
        seen="an error: too many headers, or its head has no end",
    ),
    Case(
        name="endless-header",
        what="one header without end",
        injected="1 kB at a time, until the client closes",
        pieces=_endless_header,
        pause_s=0.0,
        why="its head has no end",
    ),
    Case(
        name="endless-drip",
        what="a slow drip without end",
        injected="one token, then a byte now and then",
        pieces=_drip,
        pause_s=0.05,
        timeout_s=_LIMIT_S,
        why=r"no end of the answer after 0\.4 s",
    ),
    Case(
        name="silence",
        what="no answer at all",
        injected="the request is read, and nothing is written",
        pieces=lambda _: [],
        then=Then.HOLD,
        timeout_s=_LIMIT_S,
        why=r"no end of the answer after 0\.4 s",
    ),
    Case(
        name="not-utf-8",
        what="invalid UTF-8",
        injected="a byte ff within a text",
        pieces=lambda spoken: chunked(
            [event.replace("漢".encode(), b"\xff") for event in spoken.whole()]
        ),
        why=_NO_MESSAGE,
        seen=_NO_JSON_SEEN,
    ),
    Case(
        name="half-a-character",
        what="half a character, as JSON can spell it",
        injected=r"`\ud83d` alone in a text",
        pieces=lambda spoken: chunked(
            [event.replace("😀".encode(), b"\\ud83d") for event in spoken.whole()]
        ),
        why=r"no message|'\\ud83d' as",
    ),
    Case(
        name="nul",
        what="a raw NUL",
        injected="within a text",
        pieces=lambda spoken: chunked(
            [event.replace("漢".encode(), b"\0") for event in spoken.whole()]
        ),
        why=_NO_MESSAGE,
        seen=_NO_JSON_SEEN,
    ),
    Case(
        name="count-beyond-64-bits",
        what="a count beyond 64 bits",
        injected="18446744073709551617 tokens",
        pieces=lambda spoken: _with_count(spoken, 2**64 + 1),
        why="no message|inf as",
        seen="an error: what is no message",
    ),
    Case(
        name="count-beyond-32-bits",
        what="a count beyond 31 bits",
        injected="2147483648 tokens",
        pieces=lambda spoken: _with_count(spoken, 2**31),
        why="no message|2147483648 as",
        seen="an error: what is no message",
    ),
    Case(
        name="negative-count",
        what="a negative count",
        injected="-4 tokens",
        pieces=lambda spoken: _with_count(spoken, -4),
        why="no message|-4 as",
        seen="an error: what is no message",
    ),
    Case(
        name="deep",
        what="deeply nested JSON",
        injected="100,000 arrays within each other, in a field that nobody reads",
        pieces=lambda spoken: _spoilt(
            spoken, b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b',"id":1}'
        ),
        why="no message|deeper than 100 levels",
        seen="an error: JSON nested deeper than 100 levels",
    ),
    Case(
        name="named-twice",
        what="a name twice in one object",
        injected="two texts in one chunk",
        pieces=_named_twice,
        why="no message|twice in one object",
        seen="an error: the name twice in one object",
    ),
    Case(
        name="text-is-a-number",
        what="a number where text is meant",
        injected="a chunk whose text is 5",
        pieces=lambda spoken: chunked(
            [*spoken.tokens(TEXTS[:1]), *spoken.tokens((5,)), *spoken.end()]
        ),
        why="no message|5 as",
        seen="an error: what is no message",
    ),
    Case(
        name="no-json",
        what="an event that is no JSON",
        injected="words in place of the third event",
        pieces=lambda spoken: _spoilt(spoken, b"shape mismatch in matmul"),
        why="shape mismatch in matmul",
    ),
    Case(
        name="array-for-an-object",
        what="an array where an object is meant",
        injected="in place of the third event",
        pieces=lambda spoken: _spoilt(spoken, b'[[{"text":"x"}],null,null,null,null,null,null]'),
        why=_NO_MESSAGE,
        seen="an error: what is no message, and its beginning",
        dialects=SSE,
    ),
)

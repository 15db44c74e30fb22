"""Answers that are odd and whole: they must be read as if nothing were odd."""

from __future__ import annotations

import json
from collections.abc import Iterator

from tests.faults.wire.case import READ, Case
from tests.faults.wire.raw_server import Then, chunk, chunked, cut, head
from tests.faults.wire.spoken import OLLAMA, OPENAI, SSE, TEXTS, Spoken

_TRANSFER = "Transfer-Encoding: chunked"
_END = b"0\r\n\r\n"


def _body(spoken: Spoken) -> bytes:
    return b"".join(spoken.whole())


def _until_close(body: bytes, *places: int) -> list[bytes]:
    return [head("text/event-stream"), *cut(body, *places)]


def _cut_within(spoken: Spoken, sign: bytes, offset: int) -> list[bytes]:
    """The answer, cut so many bytes after the beginning of each `sign`."""
    body = _body(spoken)
    places = [at + offset for at in range(len(body)) if body.startswith(sign, at)]
    assert places
    return _until_close(body, *places)


def _cut_characters(spoken: Spoken) -> list[bytes]:
    body = _body(spoken)
    return _until_close(body, *(at + 1 for at, byte in enumerate(body) if byte >= 0xC0))


def _crlf_cut(spoken: Spoken) -> list[bytes]:
    body = b"".join(spoken.whole(end=b"\r\n"))
    return _until_close(body, *(at + 1 for at in range(len(body)) if body[at : at + 2] == b"\r\n"))


def _mixed_ends(spoken: Spoken) -> list[bytes]:
    ends = (b"\r\n", b"\n", b"\r") if spoken.is_sse else (b"\r\n", b"\n")
    events = [
        spoken.event(spoken.token(text), ends[number % len(ends)])
        for number, text in enumerate(TEXTS)
    ]
    return chunked([*events, *spoken.end(end=ends[0])])


def _signs_of_life(spoken: Spoken) -> list[bytes]:
    sign = b": ping\n\n:\ndata:\n\ndata\n\n" if spoken.is_sse else b"\n\r\n  \n"
    return chunked([sign, *(part for event in spoken.whole() for part in (event, sign))])


def _no_space(spoken: Spoken) -> list[bytes]:
    return chunked([event.replace(b"data: ", b"data:") for event in spoken.whole()])


def _several_lines(spoken: Spoken) -> list[bytes]:
    def event(said: dict[str, object]) -> bytes:
        lines = json.dumps(said, indent=1).splitlines()
        return b"".join(f"data: {line}\n".encode() for line in lines) + b"\n"

    said = [*map(spoken.token, TEXTS), *spoken.ending()]
    return chunked([*map(event, said), *spoken.mark()])


def _other_fields(spoken: Spoken) -> list[bytes]:
    before = b"event: delta\nid: 7\nretry: 10\ndatax: no\n"
    return chunked([before + event for event in spoken.whole()])


def _role_first(spoken: Spoken) -> list[bytes]:
    first = {"role": "assistant", "content": ""}
    roles = [{"role": "assistant"}, first, {"role": "assistant", "content": None}]
    said = [{"id": "c", "choices": [{"delta": role, "text": None}]} for role in roles]
    return chunked([*map(spoken.event, said), *spoken.whole()])


def _empty_chunks(spoken: Spoken) -> list[bytes]:
    empty = spoken.event(spoken.token(""))
    return chunked(
        [
            empty,
            *(part for event in spoken.tokens() for part in (empty, event)),
            empty,
            *spoken.end(),
        ]
    )


def _with_a_length(spoken: Spoken) -> list[bytes]:
    body = _body(spoken)
    return [head(spoken.media_type, f"Content-Length: {len(body)}"), *cut(body, 9, 40)]


def _extensions_and_trailer(spoken: Spoken) -> list[bytes]:
    parts = [chunk(event, b' ; note="a;b"; x') for event in spoken.whole()]
    return [head(spoken.media_type, _TRANSFER), *parts, b"000;last\r\nX-Sum: 1\r\nX-T: 2\r\n\r\n"]


def _chunks_cut_anywhere(spoken: Spoken) -> list[bytes]:
    body = _body(spoken)
    whole = b"".join(map(chunk, cut(body, *range(1, len(body), 7)))) + _END
    return [head(spoken.media_type, _TRANSFER), *cut(whole, *range(5, len(whole), 61))]


def _old_version(spoken: Spoken) -> list[bytes]:
    return [head(spoken.media_type, version="1.0"), _body(spoken)]


def _interim(spoken: Spoken) -> list[bytes]:
    interim = [b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"]
    return [*interim, *chunked(spoken.whole())]


def _drip(spoken: Spoken) -> Iterator[bytes]:
    answer = b"".join(chunked(spoken.whole()))
    return (answer[at : at + 1] for at in range(len(answer)))


def _unread(spoken: Spoken) -> list[bytes]:
    odd = b'"x":1%s,"y":-1e999,"z":"\\ud83d","x":[[[{}]]],' % (b"0" * 5000)
    return chunked([event.replace(b"{", b"{" + odd, 1) for event in spoken.whole()])


def _null(spoken: Spoken) -> list[bytes]:
    return chunked([spoken.event(spoken.token(None)), *spoken.whole()])


def _escaped_nul(spoken: Spoken) -> list[bytes]:
    body = [*spoken.tokens(("a", "\0", "b", "c")), *spoken.end()]
    return chunked(body)


def _no_mark(spoken: Spoken) -> list[bytes]:
    return chunked([*spoken.tokens(), *map(spoken.event, spoken.ending())])


def _mark_alone(spoken: Spoken) -> list[bytes]:
    return chunked([*spoken.tokens(), spoken.event(spoken.usage(len(TEXTS))), *spoken.mark()])


_BETWEEN_BYTES_S = 0.0002
_CLOSED = "the connection's end ends the body"

GOOD = (
    Case(
        name="cut-in-a-character",
        what="cut in the middle of a character of UTF-8",
        injected="every character of several bytes is cut after its first",
        pieces=_cut_characters,
    ),
    Case(
        name="cut-in-a-field",
        what="cut in the middle of the name of an SSE field",
        injected="each `data:` comes as `da` and `ta:`",
        pieces=lambda spoken: _cut_within(spoken, b"data:", 2),
        dialects=SSE,
    ),
    Case(
        name="cut-in-a-document",
        what="cut in the middle of a JSON document",
        injected="each document is cut after its third byte",
        pieces=lambda spoken: _cut_within(spoken, b'{"', 3),
    ),
    Case(
        name="cut-in-a-line-end",
        what="cut in the middle of CRLF",
        injected="each CRLF comes as CR and LF",
        pieces=_crlf_cut,
    ),
    Case(
        name="all-at-once",
        what="several events in one read",
        injected="head, events and end in one write",
        pieces=lambda spoken: [b"".join(chunked(spoken.whole()))],
    ),
    Case(
        name="line-ends",
        what="CRLF, LF and CR mixed",
        injected="events end in turns with each of them (CR not in JSON lines)",
        pieces=_mixed_ends,
    ),
    Case(
        name="signs-of-life",
        what="comments, keep-alives and empty events",
        injected="`: ping`, `data:` without data, blank lines, between all events",
        pieces=_signs_of_life,
    ),
    Case(
        name="no-space",
        what="`data:` without a space",
        injected="as said",
        pieces=_no_space,
        dialects=SSE,
    ),
    Case(
        name="several-lines",
        what="one document in several `data:` lines",
        injected="each document is written with line breaks",
        pieces=_several_lines,
        dialects=SSE,
    ),
    Case(
        name="other-fields",
        what="fields `event`, `id`, `retry` and unknown ones",
        injected="before the data of each event",
        pieces=_other_fields,
        dialects=SSE,
    ),
    Case(
        name="byte-order-mark",
        what="a byte order mark",
        injected="before the first event",
        pieces=lambda spoken: chunked([b"\xef\xbb\xbf" + spoken.whole()[0], *spoken.whole()[1:]]),
    ),
    Case(
        name="role-first",
        what="first chunks with a role and no text",
        injected="a role alone, with empty text, with null, before the answer",
        pieces=_role_first,
        dialects=OPENAI,
    ),
    Case(
        name="empty-chunks",
        what="chunks without text",
        injected="before, between and after the tokens",
        pieces=_empty_chunks,
    ),
    Case(
        name="null-text",
        what="null where text is meant",
        injected="a chunk whose text is null",
        pieces=_null,
        dialects=(*OPENAI, *OLLAMA),
    ),
    Case(
        name="escaped-nul",
        what="an escaped NUL in the text",
        injected="a token of one NUL, written as JSON escapes it",
        pieces=_escaped_nul,
        text="a\0bc",
    ),
    Case(
        name="odd-fields",
        what="oddities in fields that nobody reads",
        injected="an integer of 5,001 digits, -1e999, half a character, a name twice",
        pieces=_unread,
    ),
    Case(
        name="no-mark",
        what="no [DONE]",
        injected="the stream ends after the reason of its end and its counts",
        pieces=_no_mark,
        dialects=OPENAI,
    ),
    Case(
        name="mark-alone",
        what="[DONE] without a reason of the end",
        injected="counts that are those asked for, and [DONE]",
        pieces=_mark_alone,
        dialects=OPENAI,
    ),
    Case(
        name="mark-twice",
        what="[DONE] twice",
        injected="as said",
        pieces=lambda spoken: chunked([*spoken.whole(), *spoken.mark()]),
        dialects=OPENAI,
    ),
    Case(
        name="with-a-length",
        what="an answer with Content-Length, not chunked",
        injected="as said",
        pieces=_with_a_length,
    ),
    Case(
        name="until-close",
        what="an answer that neither is chunked nor has a length",
        injected=_CLOSED,
        pieces=lambda spoken: _until_close(_body(spoken), 10, 50),
    ),
    Case(
        name="http-1.0",
        what="HTTP/1.0",
        injected=_CLOSED,
        pieces=_old_version,
    ),
    Case(
        name="extensions-and-trailer",
        what="chunk extensions and a trailer",
        injected="on every chunk; two fields after the last",
        pieces=_extensions_and_trailer,
    ),
    Case(
        name="chunks-cut-anywhere",
        what="chunks that have nothing to do with events, cut anywhere",
        injected="chunks of seven bytes, pieces of 61",
        pieces=_chunks_cut_anywhere,
    ),
    Case(
        name="interim-answers",
        what="100 Continue and 103 Early Hints",
        injected="before the answer",
        pieces=_interim,
    ),
    Case(
        name="drip",
        what="one byte at a time",
        injected="head and body, each byte by itself",
        pieces=_drip,
        pause_s=_BETWEEN_BYTES_S,
    ),
    Case(
        name="no-end-of-body",
        what="the stream says its end, and the connection stays open",
        injected="no last chunk after [DONE] or the last message",
        pieces=lambda spoken: chunked(spoken.whole())[:-1],
        then=Then.HOLD,
        seen=f"{READ}, after a second of silence",
    ),
)

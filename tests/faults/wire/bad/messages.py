"""Messages whose bytes, JSON or fields are not what was agreed."""

from __future__ import annotations

from tests.faults.wire.bad.spoil import NO_MESSAGE, spoilt, with_count
from tests.faults.wire.case import Case
from tests.faults.wire.raw_server import chunked
from tests.faults.wire.spoken import SSE, TEXTS, Spoken

_NO_JSON_SEEN = "an error: what is no JSON, and its beginning"


def _named_twice(spoken: Spoken) -> list[bytes]:
    said = spoken.event(spoken.token("y"))
    names = (b'"choices":', b'"response":', b'"done":', b'"content":')
    name = next(name for name in names if name in said)
    value = {b'"choices":': b"[]", b'"done":': b"false"}.get(name, b'"x"')
    twice = said.replace(b"{", b"{" + name + value + b",", 1)
    return chunked([*spoken.tokens(TEXTS[:1]), twice, *spoken.tokens(TEXTS[1:]), *spoken.end()])


MESSAGES = (
    Case(
        name="not-utf-8",
        what="invalid UTF-8",
        injected="a byte ff within a text",
        pieces=lambda spoken: chunked(
            [event.replace("漢".encode(), b"\xff") for event in spoken.whole()]
        ),
        why=NO_MESSAGE,
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
        why=NO_MESSAGE,
        seen=_NO_JSON_SEEN,
    ),
    Case(
        name="count-beyond-64-bits",
        what="a count beyond 64 bits",
        injected="18446744073709551617 tokens",
        pieces=lambda spoken: with_count(spoken, 2**64 + 1),
        why="no message|inf as",
        seen="an error: what is no message",
    ),
    Case(
        name="count-beyond-32-bits",
        what="a count beyond 31 bits",
        injected="2147483648 tokens",
        pieces=lambda spoken: with_count(spoken, 2**31),
        why="no message|2147483648 as",
        seen="an error: what is no message",
    ),
    Case(
        name="negative-count",
        what="a negative count",
        injected="-4 tokens",
        pieces=lambda spoken: with_count(spoken, -4),
        why="no message|-4 as",
        seen="an error: what is no message",
    ),
    Case(
        name="deep",
        what="deeply nested JSON",
        injected="100,000 arrays within each other, in a field that nobody reads",
        pieces=lambda spoken: spoilt(
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
        pieces=lambda spoken: spoilt(spoken, b"shape mismatch in matmul"),
        why="shape mismatch in matmul",
    ),
    Case(
        name="array-for-an-object",
        what="an array where an object is meant",
        injected="in place of the third event",
        pieces=lambda spoken: spoilt(spoken, b'[[{"text":"x"}],null,null,null,null,null,null]'),
        why=NO_MESSAGE,
        seen="an error: what is no message, and its beginning",
        dialects=SSE,
    ),
)

"""Answers of chance: good ones, some of whose documents or bytes are changed."""

from __future__ import annotations

import json
from random import Random
from typing import Any

from python_runner.engines.contract import Dialect
from tests.faults.wire.raw_server import chunked, cut, head
from tests.faults.wire.spoken import TEXTS, Spoken

_ODD: tuple[Any, ...] = (
    *(None, True, False, "", "x", "\0", "漢", "length", "stop", [], [1, 2], {}, {"x": 1}),
    *(0, 1, -1, 3, 5, 1.5, 2**31 - 1, 2**31, 2**32, 2**64, 1e300, {"message": "no"}, [[[]]]),
)
_NAMES = (
    *("choices", "text", "delta", "content", "finish_reason", "usage", "completion_tokens"),
    *("prompt_tokens", "error", "object", "response", "message", "done", "done_reason", "stop"),
    *("eval_count", "prompt_eval_count", "tokens", "tokens_predicted", "tokens_evaluated"),
    *("stop_type", "timings", "prompt_n", "id", "thinking", "unknown"),
)
_FOREIGN = {
    Dialect.OPENAI_COMPLETIONS: {"delta"},
    Dialect.OPENAI_CHAT: {"text"},
    Dialect.OLLAMA_GENERATE: {"message", "thinking"},
}
"""What a load reads in every dialect of a family, and one request alone in its own only."""
_RAW = (
    *(b"", b" ", b"null", b"[]", b"3", b"[DONE]", b"{", b"\xff", b"\0", b'{"x":NaN}', b"{}"),
    *(b'{"x":"\xff"}', b'{"id":1,"id":2}', b'{"error":"\\ud83d"}', b"<html>"),
    *(b'\xef\xbb\xbf{"done":false}', b'{"x":' + b"[" * 200 + b"]" * 200 + b"}"),
)


def spoilt_answer(chance: Random, dialect: Dialect) -> list[bytes]:
    """A whole answer with its head, in pieces."""
    spoken = Spoken(dialect)
    documents = [spoken.token(text) for text in TEXTS] + spoken.ending()
    for _ in range(chance.choice((0, 1, 1, 2, 3))):
        _change(chance, documents, dialect)
    end = chance.choice((b"\n", b"\n", b"\r\n"))
    events = [spoken.event(_written(chance, said), end) for said in documents]
    events += spoken.mark(end) if chance.random() < 0.9 else []
    for _ in range(chance.choice((0, 0, 0, 1))):
        events.insert(chance.randrange(len(events) + 1), spoken.event(chance.choice(_RAW)))
    if chance.random() < 0.3:
        events = [_harmed(chance, b"".join(events))]
    if chance.random() < 0.5:
        answer = b"".join(chunked(events))
    else:
        answer = head(spoken.media_type) + b"".join(events)
    return cut(answer, *(chance.randrange(len(answer)) for _ in range(chance.randrange(5))))


def _change(chance: Random, documents: list[dict[str, Any]], dialect: Dialect) -> None:
    place = chance.randrange(len(documents))
    match chance.randrange(5):
        case 0:
            documents.insert(place, chance.choice(documents))
        case 1:
            documents.pop(place)
        case _:
            documents[place] = json.loads(json.dumps(documents[place]))
            names = [name for name in _NAMES if name not in _FOREIGN.get(dialect, ())]
            _change_within(chance, documents[place], names)
    if not documents:
        documents.append({})


def _change_within(chance: Random, said: dict[str, Any], names: list[str]) -> None:
    places: list[dict[str, Any]] = [said]
    for found in places:
        for value in found.values():
            if isinstance(value, dict):
                places.append(value)
            elif isinstance(value, list):
                places += [each for each in value if isinstance(each, dict)]
    place = chance.choice(places)
    name = chance.choice(list(place)) if place and chance.random() < 0.7 else chance.choice(names)
    if chance.random() < 0.2:
        place.pop(name, None)
    else:
        place[name] = chance.choice(_ODD)


def _written(chance: Random, said: dict[str, Any]) -> bytes:
    return json.dumps(said, ensure_ascii=chance.random() < 0.5).encode()


def _harmed(chance: Random, body: bytes) -> bytes:
    at, length = chance.randrange(len(body)), chance.randrange(12)
    middle = chance.choice((b"", bytes([chance.randrange(256)]), chance.choice(_RAW)))
    return body[:at] + middle + body[at + length :]

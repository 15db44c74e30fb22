"""One event of a server's stream as a JSON object whose fields are what they should be.

A server may send anything. What is no message of its dialect is refused here, by the same rules
as in the client for loads (`native/rust/stream-client/src/dialect`), so that one request alone and
one of a load come to the same: strict UTF-8, no deep nesting, no name twice, no half a character,
counts that are counts. Fields that nobody reads may hold what they like.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn

from python_runner.common.errors import GenerationError

ADVICE = "The server's own log may say why."
"""What to do about an answer that is none, where nothing better is known."""
DEEPEST = 100
"""Levels of arrays and objects; no answer of a server needs a tenth of it."""
MOST = 2**31 - 1
"""The largest count that is believed."""
_SHOWN_BYTES = 80
_LONGEST_INTEGER = 19
_BLANK = b" \t\n\r\x0c"
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_BRACKET = re.compile(r"[\[\]{}]")


class MessageError(ValueError):
    """An event is no message of its dialect; says why."""


class NoJsonError(MessageError):
    """It is not even JSON."""


@dataclass(frozen=True)
class Text:
    """A field that holds text."""


@dataclass(frozen=True)
class Flag:
    """A field that holds true or false."""


@dataclass(frozen=True)
class Count:
    """A field that holds a number of tokens."""


@dataclass(frozen=True)
class Items:
    """A field that holds a list, of objects of that shape if one is given."""

    shape: Mapping[str, Kind] | None = None


Kind = Text | Flag | Count | Items | Mapping[str, "Kind"]
"""What a field holds; a mapping: an object with those fields. null stands for an absent one."""

TIMINGS = {"cache_n": Count(), "prompt_n": Count(), "predicted_n": Count()}
OPENAI: Mapping[str, Kind] = {
    "choices": Items(
        {
            "text": Text(),
            "delta": {"content": Text(), "reasoning_content": Text(), "reasoning": Text()},
            "finish_reason": Text(),
            "token_ids": Items(),
            "logprobs": {"tokens": Items(), "content": Items()},
        }
    ),
    "usage": {"prompt_tokens": Count(), "completion_tokens": Count()},
    "timings": TIMINGS,
}
OLLAMA: Mapping[str, Kind] = {
    "response": Text(),
    "message": {"content": Text(), "thinking": Text()},
    "thinking": Text(),
    "done": Flag(),
    "done_reason": Text(),
    "prompt_eval_count": Count(),
    "eval_count": Count(),
}
LLAMA: Mapping[str, Kind] = {
    "content": Text(),
    "tokens": Items(),
    "stop": Flag(),
    "stop_type": Text(),
    "stopped_limit": Flag(),
    "stopped_eos": Flag(),
    "tokens_predicted": Count(),
    "tokens_evaluated": Count(),
}


def is_blank(event: bytes) -> bool:
    """Whether an event carries nothing: a sign of life."""
    return not event.strip(_BLANK)


def message_in(event: bytes, shape: Mapping[str, Kind]) -> Mapping[str, Any]:
    """The object in `event`. Fields of `shape` hold what it says, or None, or are not there.

    Raises MessageError if it is no JSON object, or a field holds something else.
    """
    message = _parsed(event)
    if not isinstance(message, dict):
        raise MessageError(f"what is no message: {shown(event)}")
    _check(message, shape, "")
    return message


def parse(text: str | bytes) -> Any:
    """JSON as strictly as above. Raises MessageError, which is a ValueError."""
    return _parsed(text.encode() if isinstance(text, str) else text)


def error_in(message: Mapping[str, Any]) -> str | None:
    """The error that a message reports; None if it reports none."""
    said = message.get("error")
    if said is None or said is False or said in ("", {}):
        if message.get("object") != "error":
            return None
        said = message
    text = said.get("message", said) if isinstance(said, dict) else said
    return printable(text if isinstance(text, str) else json.dumps(text))


def figure_in(said: Mapping[str, Any], name: str) -> float | None:
    """A number of the server's own figures; None: it does not say. Raises MessageError."""
    value = said.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise MessageError(f"{value!r} as {name}")
    return float(value)


def printable(text: str) -> str:
    """A server's words without what would move a terminal's cursor or cannot be written."""
    return "".join(letter if letter.isprintable() or letter.isspace() else "�" for letter in text)


def shown(event: bytes) -> str:
    """The beginning of an event, quoted."""
    text = repr(event[:_SHOWN_BYTES])[1:]
    return f"{text}…" if len(event) > _SHOWN_BYTES else text


@contextmanager
def said_by(title: str) -> Iterator[None]:
    """What is no message within the block becomes a GenerationError that names the server."""
    try:
        yield
    except MessageError as error:
        raise GenerationError(f"{title} sent {error}", hint=ADVICE) from error


def _parsed(event: bytes) -> Any:
    try:
        text = event.decode("utf-8")
        if _depth_is_too_much(text):
            raise MessageError(f"JSON nested deeper than {DEEPEST} levels: {shown(event)}")
        return json.loads(
            text, parse_int=_integer, parse_constant=_no_number, object_pairs_hook=_object
        )
    except MessageError:
        raise
    except (ValueError, RecursionError) as error:
        raise NoJsonError(f"what is no JSON: {shown(event)}") from error


def _depth_is_too_much(text: str) -> bool:
    if text.count("[") + text.count("{") <= DEEPEST:
        return False
    depth = 0
    for bracket in _BRACKET.finditer(_STRING.sub("", text)):
        depth += 1 if bracket[0] in "[{" else -1
        if depth > DEEPEST:
            return True
    return False


def _integer(digits: str) -> int | float:
    """No count is that long; Python would take its time over one of a million digits."""
    return int(digits) if len(digits) <= _LONGEST_INTEGER else math.inf


def _no_number(name: str) -> NoReturn:
    raise MessageError(f"{name}, which is no JSON")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = sorted({name for name in names if name in _READ and names.count(name) > 1})
        if twice:
            raise MessageError(f"the name {twice[0]!r} twice in one object")
    return found


def _check(found: Mapping[str, Any], shape: Mapping[str, Kind], place: str) -> None:
    for name, kind in shape.items():
        value = found.get(name)
        if value is None:
            continue
        if not _fits(value, kind):
            raise MessageError(f"{_brief(value)} as {place}{name}")
        if isinstance(kind, Items):
            for item in value if kind.shape is not None else ():
                _check(item, kind.shape or {}, f"{place}{name}.")
        elif isinstance(kind, Mapping):
            _check(value, kind, f"{place}{name}.")


def _fits(value: object, kind: Kind) -> bool:
    if isinstance(kind, Text):
        return isinstance(value, str) and _is_whole(value)
    if isinstance(kind, Flag):
        return isinstance(value, bool)
    if isinstance(kind, Count):
        return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST
    if isinstance(kind, Items):
        return isinstance(value, list) and (
            kind.shape is None or all(isinstance(item, dict) for item in value)
        )
    return isinstance(value, dict)


def _is_whole(text: str) -> bool:
    """Whether it can be written: JSON may spell one half of a character of two."""
    return text.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in text)


def _brief(value: object) -> str:
    said = repr(value)
    return said if len(said) <= _SHOWN_BYTES else f"{said[:_SHOWN_BYTES]}…"


def _names(shape: Mapping[str, Kind]) -> Iterator[str]:
    for name, kind in shape.items():
        yield name
        inner = kind.shape if isinstance(kind, Items) else kind
        if isinstance(inner, Mapping):
            yield from _names(inner)


_READ = frozenset({"error", "object", "id", "token"}.union(*map(_names, (OPENAI, OLLAMA, LLAMA))))

"""What the workbench and a worker process say to each other: one JSON message per line.

The codec is a page of code rather than a validating library because the worker's start is
part of every measured load time, and importing such a library takes a fifth of a second.
Both ends are always of the same checkout, so nothing has to be validated, only rebuilt.
A worker in another language has its own twin of this file: `native/go/internal/worker/wire.go`.
"""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any

from python_runner.engines.contract import (
    EngineDescription,
    GenerateRequest,
    Generation,
    LaunchSettings,
)
from python_runner.engines.scoring import ScoreRequest, TokenScores


@dataclass(frozen=True, kw_only=True)
class Load:
    """To the worker: load the model. The first message, sent once."""

    loader: str
    """`module:function`; the function takes the settings and returns an InProcessModel."""
    settings: LaunchSettings


@dataclass(frozen=True, kw_only=True)
class Ready:
    """From the worker: the model is loaded."""


@dataclass(frozen=True, kw_only=True)
class Describe:
    """To the worker: what are you? Not part of `Ready`, to keep it out of the load time."""


@dataclass(frozen=True, kw_only=True)
class Described:
    """From the worker: version, build and the like."""

    description: EngineDescription


@dataclass(frozen=True, kw_only=True)
class Generate:
    """To the worker: answer one request."""

    request: GenerateRequest


@dataclass(frozen=True, kw_only=True)
class Generated:
    """From the worker: the whole answer.

    Tokens are not sent one by one: writing to the pipe between two tokens, and the
    workbench waking up to read them on the same cores, would be part of what is measured.
    Their stamps were taken in the worker, where and when each token appeared.
    """

    generation: Generation


@dataclass(frozen=True, kw_only=True)
class Tokenize:
    """To the worker: how do you read this text?"""

    text: str


@dataclass(frozen=True, kw_only=True)
class TokenIds:
    """From the worker: the ids, BOS first; None if the engine gives none."""

    ids: tuple[int, ...] | None


@dataclass(frozen=True, kw_only=True)
class MeasureStamps:
    """To the worker: what does stamping a token cost?"""


@dataclass(frozen=True, kw_only=True)
class StampCost:
    """From the worker: nanoseconds a token; None if the engine cannot measure it."""

    ns: float | None


@dataclass(frozen=True, kw_only=True)
class Score:
    """To the worker: how likely are these tokens?"""

    request: ScoreRequest


@dataclass(frozen=True, kw_only=True)
class Scored:
    """From the worker: what the model makes of them."""

    scores: TokenScores


@dataclass(frozen=True, kw_only=True)
class Failure:
    """From the worker: the last message could not be obeyed; the worker lives on."""

    kind: str
    """Name of a class in `common.errors`."""
    message: str
    hint: str


@dataclass(frozen=True, kw_only=True)
class Quit:
    """To the worker: free the model and end."""


Message = (
    Load
    | Ready
    | Describe
    | Described
    | Generate
    | Generated
    | Tokenize
    | TokenIds
    | MeasureStamps
    | StampCost
    | Score
    | Scored
    | Failure
    | Quit
)

_KINDS: Mapping[str, type[Message]] = {kind.__name__: kind for kind in typing.get_args(Message)}


class WireError(ValueError):
    """A line is not a message."""


def encode(message: Message) -> bytes:
    """The message as one line of JSON in UTF-8, its newline included."""
    document = {"kind": type(message).__name__, "body": _plain(message)}
    return json.dumps(document, separators=(",", ":")).encode() + b"\n"


def decode(line: bytes) -> Message:
    """The message that `encode` made this line from. Raises WireError if it made none."""
    try:
        document = json.loads(line)
        message: Message = _rebuild(_KINDS[document["kind"]], document["body"])
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise WireError(f"not a message: {line[:80]!r}") from error
    return message


def _plain(value: object) -> object:
    """`value` in terms of JSON."""
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Path):
        return str(value)
    return value


def _rebuild(kind: Any, value: Any) -> Any:
    """`value`, as it came out of JSON, as an instance of the annotated type `kind`."""
    if value is None:
        return None
    if isinstance(kind, type) and is_dataclass(kind):
        hints = _hints(kind)
        return kind(**{name: _rebuild(hints[name], item) for name, item in value.items()})
    if typing.get_args(kind):
        return _rebuild_generic(kind, value)
    if kind is Path or (isinstance(kind, type) and issubclass(kind, Enum)):
        return kind(value)
    return value


def _rebuild_generic(kind: Any, value: Any) -> Any:
    """The generic types that messages use: `X | None`, `tuple[X, ...]`, `Mapping[str, X]`."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is tuple:
        return tuple(_rebuild(arguments[0], item) for item in value)
    if origin is Mapping:
        return {key: _rebuild(arguments[1], item) for key, item in value.items()}
    if origin in {types.UnionType, typing.Union}:
        return _rebuild(next(a for a in arguments if a is not type(None)), value)
    raise TypeError(f"messages cannot carry {kind}")


@cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)

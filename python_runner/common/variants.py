"""Names of variants: `ollama@gogc=off+threads=1` is the stack `ollama` with two knobs turned.

Neither commas (they part the stacks of `--stacks`) nor anything that a shell or a file name
would mind. A variant is the same in whatever order its knobs are written, so its name has one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from python_runner.common.errors import UsageError

_KNOBS_FROM = "@"
_BETWEEN = "+"
_IS = "="
_KNOB = re.compile(r"[a-z][a-z0-9-]*")
_VALUE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_GRAMMAR = (
    "A variant is written NAME@knob=value, with + between several: ollama@gogc=off+threads=1."
)


@dataclass(frozen=True, kw_only=True)
class StackName:
    """What a stack's name says."""

    base: str
    """The engine, as `polystack engines` lists it."""
    knobs: Mapping[str, str] = field(default_factory=dict)
    """What is set otherwise than usual, in alphabetical order."""

    def __str__(self) -> str:
        words = _BETWEEN.join(f"{knob}{_IS}{value}" for knob, value in sorted(self.knobs.items()))
        return f"{self.base}{_KNOBS_FROM}{words}" if words else self.base

    def turned(self, knobs: Mapping[str, str]) -> StackName:
        """The same stack with these knobs besides."""
        return StackName(base=self.base, knobs={**self.knobs, **knobs})


def parse_stack(name: str) -> StackName:
    """Take a name apart; one without `@` is a base alone, whatever it is.

    Raises:
        UsageError: what follows the `@` is no list of knobs and values.
    """
    base, at, rest = name.partition(_KNOBS_FROM)
    if not at:
        if _IS in name:
            raise UsageError(f"{name!r} is no stack, but a knob of one", hint=_GRAMMAR)
        return StackName(base=base)
    knobs: dict[str, str] = {}
    for word in rest.split(_BETWEEN):
        knob, _, value = word.partition(_IS)
        if not base or not _KNOB.fullmatch(knob) or not _VALUE.fullmatch(value):
            raise UsageError(f"the stack {name!r} cannot be read at {word!r}", hint=_GRAMMAR)
        if knob in knobs:
            raise UsageError(f"the stack {name!r} sets {knob} twice")
        knobs[knob] = value
    return StackName(base=base, knobs=dict(sorted(knobs.items())))


def knobs_of(name: str) -> Mapping[str, str]:
    """The knobs in a stack's name; none if it is no variant's, or somebody else's server."""
    try:
        return parse_stack(name).knobs
    except UsageError:
        return {}

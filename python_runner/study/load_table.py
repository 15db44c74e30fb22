"""The `[load]` table of a study: how many users or requests a second, and for how long."""

from __future__ import annotations

import re
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from python_runner.common.errors import UsageError
from python_runner.study.base import Frozen, NonNegativeInt, PositiveInt

PositiveFloat = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NonNegativeFloat = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Target = Literal["ttft", "itl", "tpot", "e2e"]

_DURATION = re.compile(r"(\d+(?:\.\d+)?|\.\d+)\s*(us|ms|s|min|m|h)")
_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


def parse_duration(text: str) -> float:
    """Seconds in `200ms`, `30s`, `1.5 min`. Raises UsageError if it has no unit or is 0."""
    found = _DURATION.fullmatch(text.strip())
    seconds = float(found[1]) * _SECONDS[found[2]] if found else 0.0
    if not seconds:
        raise UsageError(
            f"{text!r} is no duration", hint="Write a number and a unit: 200ms, 30s or 2min."
        )
    return seconds


def parse_slo(text: str) -> dict[str, str]:
    """`ttft=200ms,itl=50ms` as a mapping of figure to duration. Raises UsageError."""
    targets: dict[str, str] = {}
    for part in text.split(","):
        name, equals, limit = (piece.strip() for piece in part.partition("="))
        if name not in get_args(Target) or not equals or name in targets:
            raise UsageError(
                f"--slo {text}: {part.strip()!r} is no target",
                hint=f"Write --slo ttft=200ms,itl=50ms; figures: {', '.join(get_args(Target))}.",
            )
        parse_duration(limit)
        targets[name] = limit
    return targets


def check_duration(text: str) -> str:
    """`text`, if it is a duration. Raises ValueError, as validators do."""
    try:
        parse_duration(text)
    except UsageError as error:
        raise ValueError(f"{error.message}. {error.hint}") from error
    return text


def _as_several(value: object) -> object:
    return (value,) if isinstance(value, int | float) else value


class Prompts(Frozen):
    """What the requests of a load ask."""

    kind: Literal["synthetic", "text", "file"] = Field(
        "synthetic",
        description="synthetic: texts of exactly workload.prompt_tokens, all different; text: "
        "the one in `text`; file: those in `file`",
    )
    text: str | None = Field(None, min_length=1, description="the prompt of kind `text`")
    file: str | None = Field(
        None,
        min_length=1,
        description="a prompt each line; in a .jsonl or .json file texts, objects with `prompt` "
        "or `text`, or conversations as ShareGPT has them",
    )
    shared_prefix_tokens: NonNegativeInt = Field(
        0, description="tokens with which all synthetic prompts begin, BOS and template included"
    )

    @model_validator(mode="after")
    def _has_what_its_kind_needs(self) -> Prompts:
        for kind, value in (("text", self.text), ("file", self.file)):
            if (self.kind == kind) != (value is not None):
                raise ValueError(
                    f"load.prompts: `{kind}` is given if, and only if, kind is {kind!r}"
                )
        if self.shared_prefix_tokens and self.kind != "synthetic":
            raise ValueError("load.prompts: a shared prefix is made for synthetic prompts only")
        return self


class Load(Frozen):
    """One load: its levels, one after the other, and what each of them is."""

    users: Annotated[tuple[PositiveInt, ...], BeforeValidator(_as_several)] = Field(
        (),
        strict=False,
        description="closed loop: so many users, each with one request at a time; a level each",
    )
    rate: Annotated[tuple[PositiveFloat, ...], BeforeValidator(_as_several)] = Field(
        (), strict=False, description="open loop: requests a second; a level each"
    )
    arrivals: Literal["constant", "poisson"] = Field(
        "poisson", description="of an open loop: at even distances, or at random by the seed"
    )
    requests: PositiveInt | None = Field(None, description="a level ends after that many")
    requests_per_user: PositiveInt | None = Field(
        None, description="of a closed loop: and not before each user could send so many"
    )
    duration_s: PositiveFloat | None = Field(
        None, description="none is sent after that many seconds; those under way are waited for"
    )
    ramp_s: NonNegativeFloat = Field(
        0.0, description="seconds over which the users start, or the rate grows"
    )
    warmup: NonNegativeInt = Field(
        0, description="first requests of a level: kept, marked, left out of the figures"
    )
    slots: PositiveInt = Field(
        4, description="requests that an engine started here computes at once"
    )
    ignore_eos: bool = Field(
        default=False, description="ask servers that are not ours to go on past an end"
    )
    keep_answers: bool = Field(
        default=False, description="keep the text of every answer beside its times"
    )
    timeout_s: PositiveFloat = Field(600.0, description="seconds that one request may take")
    slo: dict[Target, Annotated[str, AfterValidator(check_duration)]] = Field(
        default_factory=dict, description='targets that make goodput: {ttft = "200ms"}'
    )
    prompts: Prompts = Field(default_factory=Prompts)

    @property
    def slo_ms(self) -> dict[str, float]:
        """The targets in milliseconds."""
        return {name: parse_duration(limit) * 1000 for name, limit in self.slo.items()}

    def requests_of(self, users: int | None) -> int | None:
        """Requests after which a level of so many users ends; None: it ends by time."""
        if self.requests_per_user is None or users is None:
            return self.requests
        return max(self.requests or 0, self.requests_per_user * users)

    @model_validator(mode="after")
    def _is_one_of_two_loops(self) -> Load:
        if bool(self.users) == bool(self.rate):
            raise ValueError("load: give either `users` (closed loop) or `rate` (open loop)")
        if self.requests_per_user and self.rate:
            raise ValueError(
                "load.requests_per_user: is of a closed loop, and `rate` is an open one"
            )
        for key, levels in (("users", self.users), ("rate", self.rate)):
            if len(set(levels)) < len(levels):
                raise ValueError(f"load.{key}: a level stands there twice")
        return self

    @model_validator(mode="after")
    def _ends(self) -> Load:
        levels = [self.requests_of(users) for users in self.users] or [self.requests]
        if None in levels and self.duration_s is None:
            raise ValueError("load: give `requests`, `duration_s`, or both")
        least = min((each for each in levels if each is not None), default=None)
        if least is not None and self.warmup >= least:
            raise ValueError(
                f"load.warmup: of {least} requests, {self.warmup} for warming up leave none"
            )
        return self

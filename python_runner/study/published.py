"""The shape of a published study: what is run for it, at which scales, and what it found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from python_runner.study.base import Frozen, NonNegativeInt, PositiveInt

Name = Annotated[str, Field(min_length=1)]
PositiveFloat = Annotated[float, Field(gt=0, allow_inf_nan=False)]
ScaleName = Literal["tiny", "small", "full"]
Value = str | int | float

SCALES: tuple[ScaleName, ...] = ("tiny", "small", "full")
"""From the smallest to the largest."""
STACK_COLUMN = "stack"
"""Key of the column that says which platform a row is about."""
HARDWARE, MODEL = "hardware", "model"
"""Keys under which a row may say that it is about another machine or model than the others."""


def _as_several(value: object) -> object:
    if isinstance(value, str):
        return (value,)
    return tuple(value) if isinstance(value, list) else value


Models = Annotated[tuple[Name, ...], BeforeValidator(_as_several)]


class PublishedMark(Frozen):
    """In a stored study: which published study the run belongs to."""

    name: Name = Field(description="name of the published study, or its file")
    scale: ScaleName = Field(description="tiny, small or full")
    series: str = Field(
        "", description="the same for all runs of one table; left out: the run is alone"
    )
    part: PositiveInt = Field(1, description="which run of its series this is")
    parts: PositiveInt = Field(1, description="how many runs the series has")
    left_out: dict[str, str] = Field(
        default_factory=dict, description="stacks that were not tried, with the reason"
    )


class Column(Frozen):
    """A column of the original's table."""

    key: str = Field(pattern=r"^[a-z0-9_]+$", description="figure that stands there")
    title: Name = Field(description="its head, as in the original")
    unit: str = Field("", description="of the figures")
    added: bool = Field(default=False, description="the original does not have this column")


class Original(Frozen):
    """What was published."""

    source: Name = Field(description="who published what, when")
    page: str = Field("", description="where it can be read")
    hardware: Name = Field(description="the machine; every word of it is in our GPU's name if same")
    models: Models = Field(
        strict=False, min_length=1, description="the models; each is in our model's name if same"
    )
    workload: Name = Field(description="what was asked, in a sentence")
    columns: tuple[Column, ...] = Field(
        strict=False, min_length=1, description="of its table, in its order"
    )
    rows: tuple[dict[str, Value], ...] = Field(
        (), strict=False, description="its figures by column; `hardware`, `model` where they differ"
    )
    platforms: dict[str, Annotated[tuple[str, ...], Field(strict=False)]] = Field(
        default_factory=dict, description="its platforms, and our engines that are the same"
    )
    notes: tuple[str, ...] = Field((), strict=False, description="what a reader should know")

    @model_validator(mode="after")
    def _is_a_table(self) -> Original:
        keys = [column.key for column in self.columns]
        twice = sorted({key for key in keys if keys.count(key) > 1})
        if twice:
            raise ValueError(f"original.columns: {', '.join(twice)} stands there twice")
        if STACK_COLUMN not in keys:
            raise ValueError(f"original.columns: none has the key {STACK_COLUMN!r}")
        for number, row in enumerate(self.rows, start=1):
            strange = sorted(row.keys() - {*keys, HARDWARE, MODEL})
            if strange:
                raise ValueError(
                    f"original.rows.#{number}: {', '.join(strange)} is no column; "
                    f"allowed: {', '.join(keys)}"
                )
            if row.get(STACK_COLUMN) not in self.platforms:
                raise ValueError(
                    f"original.rows.#{number}: {STACK_COLUMN} must be one of original.platforms"
                )
        return self


class Scale(Frozen):
    """One size of a published study. What is left out stays as its study has it."""

    smaller: Name = Field(description="what is smaller than in the original, in a sentence")
    models: tuple[Models, ...] = Field(
        (), strict=False, description="a run for each; several names: the first on this disk"
    )
    precisions: tuple[Name, ...] = Field((), strict=False, description="a run for each")
    prompt_tokens: PositiveInt | None = Field(None, description="tokens of each prompt")
    new_tokens: PositiveInt | None = Field(None, description="tokens of each answer, at most")
    context: PositiveInt | None = Field(None, description="tokens of context")
    iterations: PositiveInt | None = Field(None, description="timed requests of each stack")
    blocks: PositiveInt | None = Field(None, description="visits to each stack")
    users: tuple[PositiveInt, ...] | None = Field(
        None, strict=False, description="users at once; a level each"
    )
    requests: PositiveInt | None = Field(None, description="requests of a level, at least")
    requests_per_user: PositiveInt | None = Field(
        None, description="requests of each user of a level, if that is more"
    )
    duration_s: PositiveFloat | None = Field(
        None, description="seconds of a level after which no request is sent"
    )
    slots: PositiveInt | None = Field(None, description="requests that an engine computes at once")
    warmup: NonNegativeInt | None = Field(None, description="requests before the timed ones")

    @property
    def load(self) -> dict[str, object]:
        """Its keys of the table `[load]`."""
        names = ("users", "requests", "requests_per_user", "duration_s", "slots")
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}


@dataclass(frozen=True, kw_only=True)
class Part:
    """One run of a published study."""

    models: tuple[str, ...]
    """Empty: those of its study."""
    precision: str | None


class Published(Frozen):
    """A published study: a study of ours, its scales, and the original."""

    name: Name = Field(description="short name, as in `just study NAME`")
    title: Name = Field(description="what it asks")
    study: Name = Field(description="the study that is run for it, by name or file")
    also: tuple[Name, ...] = Field(
        (), strict=False, description="stacks besides the study's, tried where there are such"
    )
    table: Literal["users", "long-sequences", "nine-prompts", "languages"] = Field(
        description="the shape of its table"
    )
    scales: dict[ScaleName, Scale] = Field(min_length=1, description="tiny, small, full")
    original: Original

    def parts(self, scale: ScaleName) -> tuple[Part, ...]:
        """Its runs at this scale, in order."""
        found = self.scales[scale]
        return tuple(
            Part(models=models, precision=precision)
            for models in found.models or ((),)
            for precision in found.precisions or (None,)
        )

    @property
    def scale_names(self) -> tuple[ScaleName, ...]:
        """Its scales, from the smallest."""
        return tuple(name for name in SCALES if name in self.scales)


def mark_of(study: Mapping[str, Any]) -> PublishedMark | None:
    """The mark in a stored study (`Study.model_dump`); None: it belongs to no published one."""
    found = study.get("published")
    return PublishedMark.model_validate(found) if found else None


def platforms_of(original: Original, stack: str) -> Iterator[str]:
    """The original's platforms that this engine is."""
    for title, engines in original.platforms.items():
        if stack in engines:
            yield title

"""The shape of a team file: who keeps a stack running, what is served, what it may cost."""

from __future__ import annotations

from difflib import get_close_matches
from enum import IntEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from python_runner.study.base import Frozen, NonNegativeInt, PositiveInt

PositiveFloat = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]
LevelName = Literal["reads", "writes", "expert"]

STACK_LANGUAGES = ("C++", "Go", "Rust", "Python")
"""Languages that stacks are written in. A test holds them against `engines.contract.Language`."""


class Level(IntEnum):
    """How well somebody knows a language."""

    READS = 1
    """Finds the line that an error comes from."""
    WRITES = 2
    """Mends it, and gets the change through a review."""
    EXPERT = 3
    """Finds what only shows under load, in the language's own tools."""

    @classmethod
    def named(cls, name: str) -> Level:
        """The level of that name in a team file."""
        return cls[name.upper()]


def _known_language(name: str) -> str:
    """The language as stacks name it. A language that no stack has stays as it is."""
    same = {known.lower(): known for known in STACK_LANGUAGES} | {"cpp": "C++", "golang": "Go"}
    found = same.get(name.strip().lower())
    if found:
        return found
    near = get_close_matches(name, STACK_LANGUAGES, n=1, cutoff=0.7)
    if near:
        raise ValueError(f"unknown language {name!r}. Did you mean {near[0]!r}?")
    return name.strip()


LanguageName = Annotated[str, Field(min_length=1), AfterValidator(_known_language)]


class People(Frozen):
    """Some people who know the same."""

    role: str = Field("people", min_length=1, description="what they are called in the report")
    number: PositiveInt = Field(1, description="how many they are")
    on_call: NonNegativeInt = Field(0, description="how many of them take turns on call")
    languages: dict[LanguageName, LevelName] = Field(
        default_factory=dict,
        description='languages with a level, reads, writes or expert: {Python = "expert"}',
    )

    @model_validator(mode="after")
    def _on_call_are_some_of_them(self) -> People:
        if self.on_call > self.number:
            raise ValueError(f"on_call: {self.on_call} of {self.number} {self.role} cannot be")
        return self


class Serves(Frozen):
    """What is served. Targets are hard: a stack that is known to miss one is out."""

    users: PositiveInt = Field(1, description="users at once")
    prompt_tokens: PositiveInt | None = Field(
        None, description="tokens of a prompt; left out: as many as the run had"
    )
    new_tokens: PositiveInt | None = Field(
        None, description="tokens of an answer; left out: as many as the run had"
    )
    requests_a_day: PositiveInt | None = Field(
        None, description="requests a day, for the number of machines"
    )
    ttft_ms: PositiveFloat | None = Field(
        None, description="target: milliseconds to the first token, at most"
    )
    e2e_ms: PositiveFloat | None = Field(
        None, description="target: milliseconds to the last token, at most"
    )


class Operations(Frozen):
    """Where and how it runs."""

    runs_in: Literal["container", "bare"] = Field("bare", description="container or bare machine")
    hardware: Literal["cpu", "gpu"] = Field("cpu", description="what the stack computes on")
    level: LevelName = Field(
        "writes", description="how well one has to know a stack's language to keep it running"
    )
    price_per_hour: PositiveFloat | None = Field(
        None, description="of one machine like the one measured; without it cost is unknown"
    )
    currency: str = Field("EUR", min_length=1, description="of the prices, for display")
    budget_per_million: PositiveFloat | None = Field(
        None, description="what a million tokens may cost; more is worth nothing"
    )


class Constraints(Frozen):
    """What a stack has to be. Whatever is known to break one is left out, with the reason."""

    must: Literal["serve", "embed", "either"] = Field(
        "either", description="serve: over HTTP; embed: as a library in a process; or either"
    )
    licences: tuple[str, ...] = Field(
        (), strict=False, description="licences that are allowed (SPDX); left out: any"
    )
    languages: tuple[LanguageName, ...] = Field(
        (), strict=False, description="languages that a stack may be written in; left out: any"
    )
    memory_gb: PositiveFloat | None = Field(
        None, description="memory that a stack may take at its peak, in GB of 10^9 bytes"
    )


class Team(Frozen):
    """One decision: people, what they serve, how they run it, and what counts for them."""

    name: str = Field(
        "team", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", description="short name, for files"
    )
    title: str = Field("Which stack fits our team?", min_length=1, description="of the page")
    people: tuple[People, ...] = Field(min_length=1, strict=False, description="who there is")
    serves: Serves = Field(default_factory=Serves)
    operations: Operations = Field(default_factory=Operations)
    constraints: Constraints = Field(default_factory=Constraints)
    weights: dict[str, Weight] | None = Field(
        None,
        description="what counts, and how much; what it leaves out counts nothing. Without the "
        "table: the defaults of docs/team.md",
    )

    @property
    def number(self) -> int:
        """People in all."""
        return sum(group.number for group in self.people)

    @property
    def on_call(self) -> int:
        """Those of them who take turns on call."""
        return sum(group.on_call for group in self.people)

    def able(self, language: str, *, on_call: bool = False) -> int:
        """People (or those on call) who know `language` as well as `operations.level` asks."""
        needed = Level.named(self.operations.level)
        return sum(
            group.on_call if on_call else group.number
            for group in self.people
            if language in group.languages and Level.named(group.languages[language]) >= needed
        )

    @model_validator(mode="after")
    def _somebody_can_keep_what_is_asked_for(self) -> Team:
        wanted = self.constraints.languages
        if wanted and not any(self.able(language) for language in wanted):
            raise ValueError(
                f"constraints.languages: nobody knows {' or '.join(wanted)} at the level "
                f"{self.operations.level!r} (operations.level); add people, or allow another"
            )
        return self

    @model_validator(mode="after")
    def _something_counts(self) -> Team:
        if self.weights is not None and not sum(self.weights.values()):
            raise ValueError("weights: all are zero, so nothing decides; give one of them a weight")
        return self

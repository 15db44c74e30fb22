"""What a file of the catalogue of servers says, and what each word there means.

Words of a command line may hold placeholders in braces; `PLACEHOLDERS` lists them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from string import Formatter
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PositiveInt, model_validator

from python_runner.engines.contract import Language, StopReason

PLACEHOLDERS: Mapping[str, str] = {
    "program": "the program that was found",
    "python": "the Python that it runs in",
    "home": "the folder that the variable names",
    "model": "the folder of the model",
    "model_name": "the name of that folder",
    "model_parent": "the folder that holds it",
    "served_name": "the name that requests give for the model",
    "host": "where to listen",
    "port": "the port to listen on",
    "spare_port": "another port that is free",
    "context": "tokens of one request",
    "all_context": "tokens of all slots together",
    "slots": "requests computed at once",
    "threads": "threads",
    "device": "cpu or cuda",
    "scratch": "a folder for this start, which holds `scratch_files`",
}
"""What may stand in braces, and what is put there."""


def check_words(words: tuple[str, ...]) -> tuple[str, ...]:
    """`words`. Raises ValueError if a placeholder is unknown or a brace is alone."""
    for word in words:
        for _, name, _, _ in Formatter().parse(word):
            if name is not None and name not in PLACEHOLDERS:
                known = ", ".join(PLACEHOLDERS)
                raise ValueError(f"{word!r} has the placeholder {name!r}; there are {known}")
    return words


def _check_pattern(pattern: str) -> str:
    if re.compile(pattern).groups != 1:
        raise ValueError(f"{pattern!r} must have one group, around the version")
    return pattern


Words = Annotated[tuple[str, ...], Field(strict=False), AfterValidator(check_words)]
Names = Annotated[tuple[str, ...], Field(strict=False)]
Https = Annotated[str, Field(pattern=r"^https://")]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
"""Of a file in a folder that we choose."""


class Find(_Table):
    """Where the server is."""

    variable: Annotated[str, Field(pattern=r"^POLYSTACK_[A-Z0-9_]+$")]
    """Names a program, the folder of a Python environment, or of the sources (`holds`).

    With `_IMAGE` at its end: a container image."""
    program: str = ""
    """On PATH, or in `bin` of the environment."""
    module: str = ""
    """Run by the environment's Python; there is no program."""
    holds: str = ""
    """The file that is started, in the folder of the sources; there is no program."""
    pythons: Names = ("venv/bin/python", ".venv/bin/python")
    """With `holds`: where in that folder its Python may be."""
    install: str
    """How a user gets it, for the hint."""

    @model_validator(mode="after")
    def _is_one_kind(self) -> Find:
        if sum(map(bool, (self.program, self.module, self.holds))) != 1:
            raise ValueError("name one of program, module and holds")
        return self


class Version(_Table):
    """How its version is known: by a command before it runs, or by its own word when it does."""

    command: Words = ()
    pattern: Annotated[str, AfterValidator(_check_pattern)] = r"(\d+\.\d+\S*)"
    path: str = ""
    """Answers with a JSON object."""
    key: str = "version"
    """Where the version is in it."""

    @model_validator(mode="after")
    def _says_it(self) -> Version:
        if not (self.command or self.path):
            raise ValueError("name a command or a path: without a version nothing is measured")
        return self


class Container(_Table):
    """How it is started from an image."""

    image: str
    """The one that its project publishes, for the hint."""
    port: PositiveInt = 8000
    """Inside."""
    arguments: Words = ()
    """For the container program, before the image."""
    command: Words
    """The words after the image."""


class Format(_Table):
    """What a precision of a study means to it."""

    name: str
    bits: PositiveInt
    arguments: Words = ()
    """Added to the command line."""
    folder: str = ""
    """What is appended to the model's folder: weights that the user has made beforehand."""
    made_by: str = ""
    """With `folder`: the command that makes it, with {model} and {made}."""

    @model_validator(mode="after")
    def _says_how_it_is_made(self) -> Format:
        if bool(self.folder) != bool(self.made_by):
            raise ValueError("folder and made_by belong together")
        return self


class Ready(_Table):
    """When it is ready: this path answers 200, and if values are named, with them."""

    path: Annotated[str, Field(pattern=r"^/")]
    expect: Mapping[str, str] = {}
    """Keys of the JSON object and their values; values may hold placeholders."""


class Asks(_Table):
    """How it is asked: POST of JSON, streamed, greedy."""

    path: Annotated[str, Field(pattern=r"^/")] = "/v1/completions"
    prompt: Literal["ids", "text"]
    adds_bos: bool
    """Whether it puts BOS before a text by itself. Ids have it already."""
    names_model: bool = True
    """Whether requests give the model's name (`served_name`)."""
    served_name: str = "{model}"
    length: str = "max_tokens"
    """The key for the number of new tokens."""
    seed: bool = True
    body: Mapping[str, object] = {}
    """What each request carries besides."""
    ignore_end: Mapping[str, object] = {}
    """What it carries where an end of sequence is to be ignored; empty: that cannot be."""


class Answers(_Table):
    """How its streams are read."""

    ids: str = ""
    """The key of a choice that lists the ids of its tokens; empty: it gives none."""
    text_of_ids: bool = False
    """Whether the text is made of the ids here, because it sends none with them."""
    counted_by: str = ""
    """Dotted keys of a list in a choice, with an entry a token, where `usage` counts otherwise."""
    counted_has_text: bool = False
    """Whether the text is made of those entries, because the server does not send all of it."""
    stops: Mapping[str, Annotated[StopReason, Field(strict=False)]] = {
        "length": StopReason.LENGTH,
        "stop": StopReason.END_OF_SEQUENCE,
    }
    """Its words for the reason of the end."""
    end_is_counted: bool
    """Whether the mark that ends an answer is among the tokens that it counts."""
    timings: Names = ()
    """Its own figures, by their names in `usage`."""

    @model_validator(mode="after")
    def _has_ids_to_read(self) -> Answers:
        if self.text_of_ids and not self.ids:
            raise ValueError("text_of_ids needs ids")
        return self


class Source(_Table):
    """A file that was read for this row."""

    what: str
    file: str
    at: Https


class ServerRow(_Table):
    """One server."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.+-]*$")]
    title: str
    language: Language = Field(strict=False)
    """Of its serving code."""
    read_at: str
    """The version whose sources this row was written from."""
    devices: Names = ("cuda",)
    page: str
    """What a reader should know before comparing it."""
    find: Find
    version: Version
    container: Container | None = None
    command: Words
    environment: Mapping[str, str] = {}
    scratch_files: Mapping[FileName, str] = {}
    """Files of settings that it is started with, by name; written to {scratch}."""
    precision: Mapping[Literal["bf16", "8bit", "shipped"], Format]
    ready: Ready
    port_taken: str = "ddress already in use"
    asks: Asks
    answers: Answers
    facts: Mapping[str, str] = {}
    """What is recorded of each run, besides version and weights."""
    quirks: Names = ()
    """What differs from others, in sentences."""
    sources: Annotated[tuple[Source, ...], Field(strict=False, min_length=1)]

    @model_validator(mode="after")
    def _has_all_precisions(self) -> ServerRow:
        if lost := {"bf16", "8bit", "shipped"} - self.precision.keys():
            raise ValueError(f"precision lacks {', '.join(sorted(lost))}")
        return self

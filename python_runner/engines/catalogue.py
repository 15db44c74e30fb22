"""The catalogue: what is known of each project without running it, each fact with its source."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from python_runner.common.variants import parse_stack

_FILE = Path(__file__).with_name("catalogue.toml")


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class CatalogueFact(_Table):
    """Something that a project says of itself."""

    value: str | Annotated[tuple[str, ...], Field(strict=False)]
    """One value, or several. What is not in the catalogue is not known."""
    source: Annotated[str, Field(pattern=r"^https://")]
    """Address of the page or file that says so."""
    date: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    """When it was read there."""
    note: str = ""

    @property
    def values(self) -> tuple[str, ...]:
        """All values, also of a fact with one."""
        return (self.value,) if isinstance(self.value, str) else self.value


class CatalogueProject(_Table):
    """A project that one or several engines come from."""

    title: str
    engines: tuple[str, ...] = Field(strict=False)
    facts: Mapping[str, CatalogueFact] = {}


FACTS: Mapping[str, str] = {
    "licence": "licence of the project's own code (SPDX)",
    "quantisations": "formats that weights can be held in, besides 16 and 32 bits",
    "hardware": "what it computes on: cpu, cuda, rocm, metal and others",
    "container": "an image that the project itself publishes; `none`: it says that there is none",
    "release": "the version that is pinned here, and when it came out",
    "rhythm": "how often it is released",
}
"""What the catalogue may say of a project, and what that means."""


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """All projects."""

    projects: tuple[CatalogueProject, ...]

    def facts(self, stack: str) -> Mapping[str, CatalogueFact]:
        """What is known of the project of a stack or variant; nothing for a stranger."""
        base = parse_stack(stack).base
        return next((each.facts for each in self.projects if base in each.engines), {})


@cache
def catalogue() -> Catalogue:
    """The catalogue that comes with the workbench."""
    document = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return Catalogue(
        projects=tuple(CatalogueProject.model_validate(each) for each in document["projects"])
    )

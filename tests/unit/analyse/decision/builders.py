"""Teams and frames of figures, made by hand."""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from python_runner.analyse.decision import COLUMNS, CRITERIA_KEYS
from python_runner.analyse.decision.score import Utilities, Utility
from python_runner.engines.catalogue import Catalogue, CatalogueFact, CatalogueProject
from python_runner.study import Team

UNITS = {
    "ttft_ms": "ms",
    "tpot_ms": "ms",
    "e2e_ms": "ms",
    "tokens_per_s": "tokens/s",
    "peak_memory_bytes": "bytes",
    "cold_start_s": "s",
}
LANGUAGES = {"cpp": "C++", "go": "Go", "rust": "Rust", "python": "Python"}
NO_CATALOGUE = Catalogue(projects=())
Values = float | tuple[float, float, float] | None


def frame(**stacks: Mapping[str, Values]) -> pd.DataFrame:
    """A frame of figures; a value may be (value, low, high), and None is unknown."""
    rows = []
    for number, (name, figures) in enumerate(stacks.items(), start=1):
        language = LANGUAGES.get(name.split("_", maxsplit=1)[0], "Go")
        for figure, given in figures.items():
            value, low, high = (
                (math.nan,) * 3
                if given is None
                else given
                if isinstance(given, tuple)
                else (given, math.nan, math.nan)
            )
            rows.append(
                {
                    "stack": name,
                    "title": name.title(),
                    "language": language,
                    "reach": "served" if name.endswith("_served") else "embedded",
                    "figure": figure,
                    "value": value,
                    "unit": UNITS.get(figure, "s"),
                    "low": low,
                    "high": high,
                    "source": "made",
                    "run_id": number,
                    "why_unknown": "nobody looked" if given is None else "",
                }
            )
    return pd.DataFrame(rows, columns=list(COLUMNS))


def team(**tables: Any) -> Team:
    """A team of two who write Python, one of them on call, unless told otherwise."""
    people = tables.pop("people", [{"number": 2, "on_call": 1, "languages": {"Python": "writes"}}])
    return Team.model_validate({"people": people, **tables})


def weights(**given: float) -> dict[str, float]:
    return {key: given.get(key, 0.0) for key in CRITERIA_KEYS}


def points(**given: float) -> Utilities:
    """Utilities that are known exactly."""
    return {key: Utility(low=value, point=value, high=value) for key, value in given.items()}


def catalogue(**facts: Mapping[str, str | tuple[str, ...]]) -> Catalogue:
    """A project for each stack."""
    return Catalogue(
        projects=tuple(
            CatalogueProject(
                title=name,
                engines=(name,),
                facts={
                    key: CatalogueFact(value=value, source="https://x.example", date="2026-01-01")
                    for key, value in mine.items()
                },
            )
            for name, mine in facts.items()
        )
    )

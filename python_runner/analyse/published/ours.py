"""What the shapes of published tables are made of: rows of ours, one stack and condition each."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from python_runner.analyse.published.part import PartRun
from python_runner.study.published import HARDWARE, MODEL, STACK_COLUMN, Value


@dataclass(frozen=True, kw_only=True)
class OurRow:
    """One row of ours."""

    stack: str
    """Name of the engine, as in studies."""
    values: Mapping[str, Value]
    """Column key to figure, or word; unknown ones are left out."""
    lack: str = ""
    """Why figures are missing."""


Shape = Callable[[PartRun], Iterator[OurRow]]
"""The rows of one run, in the order in which they are to be shown."""


def known(**figures: object) -> dict[str, Value]:
    """Figures without those that are not known: None, NaN, and what pandas has for them."""
    found: dict[str, Value] = {}
    for key, value in figures.items():
        if isinstance(value, str):
            found |= {key: value} if value else {}
        elif isinstance(value, int | float) and not math.isnan(value):
            found[key] = value
    return found


def said_of(condition: Mapping[Any, Any], run: PartRun) -> dict[str, Value]:
    """The columns that every table may have: stack, model, hardware, precision, threads."""
    return known(
        **{
            STACK_COLUMN: condition["title"],
            MODEL: condition["model"],
            HARDWARE: hardware_of(condition, run),
            "precision": condition["precision"],
            "threads": int(condition["threads"]),
        }
    )


def hardware_of(condition: Mapping[Any, Any], run: PartRun) -> str:
    """What a stack computed on, in a few words."""
    host = run.run["host"] or {}
    gpus = host.get("gpus") or []
    if condition["device"] != "cpu" and gpus:
        return ", ".join(str(name) for name in gpus)
    cores = host.get("cores")
    return f"{cores}-core CPU" if cores else "CPU"

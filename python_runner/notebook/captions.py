"""What stands under a picture of a frame: the conditions of the runs whose rows it holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from python_runner.notebook.tables import ATTRIBUTE
from python_runner.report.facts import (
    RANDOM_WARNING,
    TINY_WARNING,
    RunFacts,
    each_once,
)

_NOT_KNOWN = "The conditions are not known: this frame lost them on the way."


def captions_of(frame: pd.DataFrame) -> RunFacts:
    """Conditions and marks of the runs in `frame`, by its `attrs`; else by its columns."""
    runs = set(frame["run_id"]) if "run_id" in frame else None
    kept = [
        words for words in frame.attrs.get(ATTRIBUTE, []) if runs is None or words["run_id"] in runs
    ]
    if not kept:
        return _by_columns(frame)
    several = len(kept) > 1
    return RunFacts(
        run_id=int(kept[0]["run_id"]),
        model=each_once(words["model"] for words in kept),
        is_synthetic=any(words["is_synthetic"] for words in kept),
        work=kept[0]["work"] if not several else _by_run(kept, "work"),
        course=kept[0]["course"] if not several else _by_run(kept, "course"),
        warnings=_once(kept, "warnings"),
        notes=_once(kept, "notes"),
    )


def _once(kept: list[Mapping[str, Any]], name: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for words in kept for text in words[name]))


def _by_run(kept: list[Mapping[str, Any]], name: str) -> str:
    """What all runs share once, else each by its number."""
    if len({words[name] for words in kept}) == 1:
        return str(kept[0][name])
    return "; ".join(f"run {words['run_id']}: {words[name]}" for words in kept)


def _by_columns(frame: pd.DataFrame) -> RunFacts:
    is_synthetic = "is_synthetic" in frame and bool(frame["is_synthetic"].any())
    columns = [name for name in ("precision", "threads") if name in frame]
    work = " · ".join(f"{name} {each_once(frame[name])}" for name in columns)
    return RunFacts(
        run_id=0,
        model=each_once(frame["model"]) if "model" in frame else "",
        is_synthetic=is_synthetic,
        work=work,
        course=_NOT_KNOWN,
        warnings=tuple(_warnings(frame, is_synthetic=is_synthetic)),
        notes=(),
    )


def _warnings(frame: pd.DataFrame, *, is_synthetic: bool) -> Iterator[str]:
    if is_synthetic:
        yield RANDOM_WARNING
    if "model" in frame and frame["model"].str.contains("tiny").any():
        yield TINY_WARNING

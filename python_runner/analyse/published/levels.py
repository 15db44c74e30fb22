"""Levels of a load as rows of a published table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from python_runner.analyse.load.decoding import is_beyond_slots
from python_runner.analyse.published.ours import OurRow, said_of
from python_runner.analyse.published.part import PartRun
from python_runner.study.published import Value

Figures = Callable[[Mapping[Any, Any]], Mapping[str, Value]]
"""From a level (`summarise_levels`) to the columns of a table."""


def level_rows(run: PartRun, figures: Figures, *, steady: bool) -> Iterator[OurRow]:
    """A row for each level of each stack; one for a stack without any.

    Args:
        run: a load.
        figures: what stands in a row.
        steady: whether a level without a steady part has to be named.
    """
    for condition in run.conditions:
        stack, said = str(condition["stack"]), said_of(condition, run)
        mine = run.levels[run.levels["condition_id"] == condition["condition_id"]]
        levels = mine.to_dict(orient="records")
        for level in levels:
            # What ended a stack belongs to the level at which it ended.
            ended = str(condition["error"]) if level is levels[-1] else ""
            lacks = (*_lacks(level, ended, steady=steady), *_beyond_slots(level, condition))
            lack = "; ".join(lacks)
            yield OurRow(stack=stack, values={**said, **figures(level)}, lack=lack)
        if not levels:
            yield OurRow(stack=stack, values=said, lack=str(condition["error"]) or "never begun")


def came_at_once(level: Mapping[Any, Any]) -> bool:
    """Whether the median of TTFT and TPOT is that of answers whose tokens nobody saw apart."""
    return bool(level["n_at_once"] * 2 >= level["n_answers"] > 0)


def _lacks(level: Mapping[Any, Any], ended: str, *, steady: bool) -> Iterator[str]:
    """What a reader has to know of a level's figures."""
    if ended or level["error"]:
        yield ended or str(level["error"])
    if level["n_failed"]:
        yield f"{level['n_failed']} of {level['n_requests']} requests failed"
    if level["n_early_stops"]:
        yield f"{level['n_early_stops']} answers were ended by the model"
    if came_at_once(level):
        yield (
            f"{level['n_at_once']} of {level['n_answers']} answers came in one read, and their "
            "TTFT is that of the whole answer"
        )
    if steady and level["lack"]:
        yield f"no steady state, {level['lack']}"


def _beyond_slots(level: Mapping[Any, Any], condition: Mapping[Any, Any]) -> Iterator[str]:
    if is_beyond_slots(level["decoding_at_once"], condition["slots"]):
        yield (
            f"it gave {level['decoding_at_once']:.0f} answers at once, where it was allowed "
            f"{condition['slots']}"
        )

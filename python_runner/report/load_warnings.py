"""Warnings of single levels, said once where many levels have the same."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pandas as pd

from python_runner.analyse.load.decoding import is_beyond_slots
from python_runner.analyse.load.errors import refused
from python_runner.measure.load.level import Arrivals
from python_runner.report.facts import at_once_warning, own_warning
from python_runner.report.load_data import load_words

_BUSY = re.compile(
    r"(something else keeps this machine busy): .* about ([\d.]+) ms\. (.*)", re.DOTALL
)


def places(levels: pd.DataFrame) -> str:
    """`1, 4 users (llama-server); 1 user (Ollama)`."""
    return "; ".join(
        f"{loads(mine)} ({title})" for title, mine in levels.groupby("title", sort=False)
    )


def loads(levels: pd.DataFrame) -> str:
    """`1, 4 users`: loads of one kind, their unit once."""
    words = [load_words(row).split(" ") for row in levels.to_dict(orient="records")]
    return f"{', '.join(number for number, _ in words)} {words[-1][1]}"


def own_warnings(levels: pd.DataFrame) -> Iterator[str]:
    """What calibrations warned of; a busy machine once for all levels."""
    said = levels.assign(_said=[own_warning(row) for row in levels.to_dict(orient="records")])
    said = said[said["_said"] != ""]
    found = [_BUSY.fullmatch(text) for text in said["_said"]]
    busy = said[[match is not None for match in found]]
    alone = said if len(busy) < 2 else said.drop(index=busy.index)
    for row in alone.to_dict(orient="records"):
        yield f"{row['title']}, {load_words(row)}: {row['_said']}"
    matches = [match for match in found if match]
    if len(busy) > 1:
        longest = max((match[2] for match in matches), key=float)
        yield (
            f"{matches[0][1][:1].upper()}{matches[0][1][1:]} at {places(busy)}: at times it stood "
            f"still for up to {longest} ms. {matches[0][3]}"
        )


def at_once_warnings(levels: pd.DataFrame) -> Iterator[str]:
    """Of answers whose tokens came in one read: once for each stack."""
    for title, mine in levels[levels["n_at_once"] > 0].groupby("title", sort=False):
        yield at_once_warning(
            f"{title}, {loads(mine)}", int(mine["n_at_once"].sum()), int(mine["n_answers"].sum())
        )


def over_slots_warnings(levels: pd.DataFrame, conditions: pd.DataFrame) -> Iterator[str]:
    """Of servers that gave more answers at once than all were allowed to."""
    slots = conditions.set_index("condition_id")["slots"]
    allowed = slots.reindex(levels["condition_id"])
    beyond = [*map(is_beyond_slots, levels["decoding_at_once"], allowed)]
    over = levels[np.array(beyond, dtype=bool)]
    for title, mine in over.groupby("title", sort=False):
        yield (
            f"{title}, {loads(mine)}: it gave up to {mine['decoding_at_once'].max():.0f} answers "
            f"at once (the mean over the steady part) where it was allowed "
            f"{slots[mine['condition_id'].iloc[0]]}. Its figures there are not on equal terms."
        )


def refused_warnings(levels: pd.DataFrame, errors: pd.DataFrame) -> Iterator[str]:
    """Of closed loops that a count ended, where refusals took part of it from who was served."""
    for row in levels.to_dict(orient="records"):
        count = refused(errors[errors["level_id"] == row["level_id"]])
        served = row["n_requests"] - row["n_failed"]
        # False also where there is no count.
        is_counted = row["arrivals"] == Arrivals.CLOSED.value and (
            row["n_requests"] >= row["requests"]
        )
        if not (count and served > 0 and is_counted and row["users"] > 1):
            continue
        yield (
            f"{row['title']}, {load_words(row)}: {count} of {row['n_requests']} requests were "
            f"refused, and all users share one count: {served} are left that were served. With "
            "--duration each user has its time, however many are refused."
        )

"""What stands around a figure: caption with the conditions, words of one sample, its table."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pandas as pd

from python_runner.analyse.latency import Outcome
from python_runner.common.clock import NS_PER_MS
from python_runner.engines.contract import Reach
from python_runner.report.answers import STRUCK, struck_note, struck_of
from python_runner.report.charts.data import ChartData, left_out_words
from python_runner.report.document import Cell, Column, Table, Tone
from python_runner.report.facts import RunFacts, shorten
from python_runner.report.figures.looks import Look, plain
from python_runner.report.units import MISSING, spell_time

SHORT_PATH_WORDS = {
    Reach.EMBEDDED: "<b>Embedded</b>: a library in a process of ours",
    Reach.SERVED: "<b>Served</b>: over HTTP, whose price is included",
}
"""What stands above a panel; short, since figures do not break lines by themselves."""
_SEPARATOR = " · "
_WIDEST = 44
_MOST_ROWS = 800


def caption(facts: RunFacts, how_to_read: str, stacks: pd.DataFrame | None = None) -> str:
    """How to read a figure, its conditions, and what warns of it: a line each.

    Args:
        facts: the run in words.
        how_to_read: what the marks mean, and what is left out.
        stacks: rows of the summary; those that are struck out are named with the reason.
    """
    rows = [] if stacks is None else stacks.to_dict(orient="records")
    struck = [struck_note(row) for row in rows if struck_of(row)]
    conditions = _SEPARATOR.join([facts.model, facts.work, facts.course])
    lines = [how_to_read, " ".join([*facts.warnings, *struck]), conditions]
    return "\n".join(line.strip() for line in lines if line.strip())


def left_out(data: ChartData) -> str:
    """Which stacks the zoomed figures do not show; empty if they show all."""
    return left_out_words(data.fast).strip()


def sample_words(look: Look, row: Mapping[Any, Any], run_id: int) -> str:
    """One request, for whoever points at it: lines of Plotly's HTML."""
    place = [f"run {run_id}", f"iteration {int(row['iteration'])}"]
    if row.get("block") is not None and not pd.isna(row["block"]):
        place.append(f"block {int(row['block'])}")
    place.append("warm-up, left out" if row["is_warmup"] else "timed")
    lines = [
        f"<b>{look.name}</b>",
        look.kind,
        _SEPARATOR.join(place),
        _SEPARATOR.join(_figures(row)),
        *_marks(look, row),
        *_probe(row),
    ]
    return "<br>".join(line for line in lines if line)


def _figures(row: Mapping[Any, Any]) -> Iterator[str]:
    for column, name in (("e2e_ms", "E2E"), ("ttft_ms", "TTFT"), ("tpot_ms", "TPOT")):
        if not pd.isna(row[column]):
            yield f"{name} {spell_time(float(row[column]))}"
    yield f"{int(row['output_tokens'])} tokens"


def _marks(look: Look, row: Mapping[Any, Any]) -> Iterator[str]:
    if look.struck:
        yield f"<b>{STRUCK}</b>"
        yield from broken(look.struck)
    if row.get("is_outlier"):
        yield "outlier among those of its stack, kept"
    if row["outcome"] != Outcome.COMPLETE.value:
        yield from broken(plain(f"{row['outcome']} {shorten(str(row['failure']))}".strip()))


def broken(text: str) -> list[str]:
    """`text` in lines that a narrow screen can show."""
    return textwrap.wrap(text, _WIDEST)


def _probe(row: Mapping[Any, Any]) -> Iterator[str]:
    found = [
        f"{name} {spell_time(float(row[column]) / NS_PER_MS)}"
        for column, name in (("probe_compute_ns", "compute"), ("probe_memory_ns", "memory"))
        if column in row and not pd.isna(row[column])
    ]
    if found:
        yield f"probe before it: {', '.join(found)}"


def stack_column() -> Column:
    """Names the row."""
    return Column(title="Stack")


def path_column() -> Column:
    """How the stack is reached; no table of figures goes without it."""
    return Column(title="Language · path", meaning="Embedded and served do not compare directly.")


def time_column(name: str, meaning: str = "") -> Column:
    """A column of times; each cell names its unit, and sorting goes by milliseconds."""
    return Column(title=name, meaning=meaning, is_number=True)


def time_cell(value_ms: float, *, struck: str = "") -> Cell:
    """A time; of a stack that is struck out, that word and why."""
    if struck:
        return Cell(text=STRUCK, tone=Tone.BAD, note=struck)
    if not math.isfinite(value_ms):
        return Cell(text=MISSING, tone=Tone.UNKNOWN)
    return Cell(text=spell_time(value_ms), value=float(value_ms))


def count_cell(value: float) -> Cell:
    """A count."""
    if not math.isfinite(value):
        return Cell(text=MISSING, tone=Tone.UNKNOWN)
    return Cell(text=f"{int(value):,}", value=float(value))


def words_cell(text: object) -> Cell:
    """A text; a dash for none."""
    return Cell(text=str(text) or MISSING)


def step_for(count: int, most: int) -> int:
    """1 if `count` things may all be shown, else every how many-th, so that a page stays small."""
    return max(1, math.ceil(count / most))


def table_of(columns: Iterable[Column], rows: Iterable[Iterable[Cell]], about: str) -> Table:
    """A figure's numbers; of very many rows some, evenly spaced, which its caption says."""
    rows = list(rows)
    step = step_for(len(rows), _MOST_ROWS)
    if step > 1:
        about = f"{about} (one row in {step} of {len(rows):,}; `polystack export` gives all)"
        rows = rows[::step]
    return Table(columns=tuple(columns), rows=tuple(tuple(cells) for cells in rows), caption=about)

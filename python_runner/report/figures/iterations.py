"""The latency of every iteration, stack by stack: drift, warm-up and outliers become visible."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from python_runner.analyse.fast import FAST_FACTOR
from python_runner.report.charts.data import ChartData, served_words, struck_words
from python_runner.report.document import Cell, Column, Figure, Table
from python_runner.report.figures.looks import Look, looks_of, number
from python_runner.report.figures.sheet import Panel, Trace, axes, sheet, title
from python_runner.report.figures.words import (
    SHORT_PATH_WORDS,
    caption,
    count_cell,
    left_out,
    path_column,
    sample_words,
    stack_column,
    step_for,
    table_of,
    time_cell,
    time_column,
    words_cell,
)
from python_runner.report.palette import INK, tint
from python_runner.report.paths import panels
from python_runner.report.units import TIMES, TimeUnit, spell_time, unit_for

TITLE = "Latency of every iteration"
ZOOMED_TITLE = "Latency of every iteration, zoomed on the fast stacks"
_HEIGHT = 330
_HEIGHT_OF_TWO = 235
_RING = 15
MOST_MARKS = 400
"""Of one stack; a screen cannot tell more of them apart."""
_WARM_UP = "Small pale crosses between them: warm-up, left out of every figure. "


def iterations(data: ChartData) -> Figure | None:
    """All stacks, from zero; None where none has a complete request."""
    struck = struck_words(data.measured, "Without colour")
    how = f"Each mark is one timed request. {_WARM_UP}{_outlier_words(data)}{struck}"
    return _figure(data, data.measured, "iterations", TITLE, how, is_zoomed=False)


def iterations_zoomed(data: ChartData) -> Figure | None:
    """The fast stacks, on the part of the axis where they are."""
    which = f"Stacks within {FAST_FACTOR:g}{TIMES} of the fastest. {left_out(data)}"
    how = f"{which} Each mark is one timed request. {_WARM_UP}{_outlier_words(data)}"
    shown = data.fast.shown
    return _figure(data, shown, "iterations-zoomed", ZOOMED_TITLE, how, is_zoomed=True)


def _outlier_words(data: ChartData) -> str:
    return "Ringed: an outlier, kept." if data.requests["is_outlier"].any() else ""


def _figure(
    data: ChartData, stacks: pd.DataFrame, key: str, name: str, how: str, *, is_zoomed: bool
) -> Figure | None:
    if stacks.empty:
        return None
    parts = panels(stacks)
    requests = data.requests[data.requests["condition_id"].isin(stacks["condition_id"])]
    timed = requests[requests["e2e_ms"].notna() & ~requests["is_warmup"].astype(bool)]
    unit = unit_for(float(timed["e2e_ms"].max()))
    low, high = _extent(timed, requests, unit, is_zoomed=is_zoomed)
    cut = "<br>axis does not start at zero" if low > 0 else ""
    looks = looks_of(data.summary)
    drawn = [
        Panel(
            caption=SHORT_PATH_WORDS[part.reach],
            height=_HEIGHT if len(parts) == 1 else _HEIGHT_OF_TWO,
            x=_x_axis(timed, index, is_last=index == len(parts) - 1),
            y={
                "title": title(f"E2E latency ({unit.name}){cut}"),
                "range": [number(low), number(high)],
                **({"matches": "y"} if index else {}),
            },
        )
        for index, part in enumerate(parts)
    ]
    traces = [
        trace
        for index, part in enumerate(parts)
        for identity in part.stacks["condition_id"]
        for trace in _stack(
            requests[requests["condition_id"] == identity],
            _Pen(look=looks[int(identity)], panel=index, unit=unit, run_id=data.facts.run_id),
        )
    ]
    step = step_for(int(timed["iteration"].nunique()), MOST_MARKS)
    skipped = f" One in {step} is shown, and every outlier." if step > 1 else ""
    scale = " Both panels have one scale." if len(parts) > 1 else ""
    how = f"{how}{skipped}{served_words(stacks, 'Hollow marks')}{scale}"
    return Figure(
        key=key,
        title=name,
        alt=_alt(data, stacks),
        caption=caption(data.facts, how, stacks),
        plot=sheet(drawn, traces, legend={}),
        table=_table(requests, looks),
    )


def _extent(
    timed: pd.DataFrame, requests: pd.DataFrame, unit: TimeUnit, *, is_zoomed: bool
) -> tuple[float, float]:
    """Both ends of the axis, in its unit."""
    values = timed["e2e_ms"] / unit.ms
    low, high = float(values.min()), float(values.max())
    if not is_zoomed:
        return 0.0, float(np.nanmax(requests["e2e_ms"])) / unit.ms * 1.08
    margin = max(0.1 * (high - low), 0.004 * high)
    return max(0.0, low - margin), high + margin


def _x_axis(timed: pd.DataFrame, index: int, *, is_last: bool) -> dict[str, Any]:
    first, last = float(timed["iteration"].min()), float(timed["iteration"].max())
    return {
        "range": [first - 0.9, last + 0.6],
        "showgrid": False,
        "showticklabels": is_last,
        "nticks": 12,
        "tickformat": "d",
        **({"dtick": 1} if last - first < 12 else {}),
        **({"matches": "x"} if index else {}),
        **({"title": title("Timed iteration, in the order of measurement")} if is_last else {}),
    }


@dataclass(frozen=True, kw_only=True)
class _Pen:
    """Draws one stack."""

    look: Look
    panel: int
    unit: TimeUnit
    run_id: int

    def trace(self, points: Sequence[tuple[float, Mapping[Any, Any]]], **style: Any) -> Trace:
        """Requests at their places; what failed has no height, and no line runs over it."""
        return {
            "type": "scatter",
            **self.look.shared(),
            **axes(self.panel),
            "x": [number(x) for x, _ in points],
            "y": [number(row["e2e_ms"] / self.unit.ms) for _, row in points],
            "hoverinfo": "text",
            "hovertext": [sample_words(self.look, row, self.run_id) for _, row in points],
            **style,
        }


def _stack(requests: pd.DataFrame, pen: _Pen) -> Iterator[Trace]:
    """One stack: its requests as they were made."""
    look = pen.look
    placed = list(zip(_places(requests), requests.to_dict(orient="records"), strict=True))
    timed = [(x, row) for x, row in placed if not row["is_warmup"]]
    step = step_for(len(timed), MOST_MARKS)
    yield pen.trace(
        [one for index, one in enumerate(timed) if index % step == 0 or one[1]["is_outlier"]],
        mode="lines+markers",
        showlegend=True,
        line={"color": tint(look.color, 0.5), "width": 1.3, "dash": look.dash},
        marker=look.dots(9),
        cliponaxis=False,
    )
    outliers = [(x, row) for x, row in timed if row["is_outlier"]]
    if outliers:
        ring = {"symbol": "circle-open", "size": _RING, "color": INK, "line": {"width": 1.2}}
        yield {
            **pen.trace(outliers, mode="markers", marker=ring, hoverinfo="skip"),
            "hovertext": "",
        }
    warm = [(x, row) for x, row in placed if row["is_warmup"] and pd.notna(row["e2e_ms"])]
    if warm:
        cross = {"symbol": "x-thin-open", "size": 6, "color": look.color, "line": {"width": 1.2}}
        yield pen.trace(warm, mode="markers", marker=cross, opacity=0.65)


def _places(requests: pd.DataFrame) -> list[float]:
    """Where each request of one stack stands: a timed one at its number, a warm-up before it."""
    places: list[float] = []
    waiting, before = 0, None
    for row in requests.to_dict(orient="records"):
        if row["is_warmup"]:
            waiting += 1
            continue
        here = float(row["iteration"])
        places += _between(here - 1 if before is None else before, here, waiting)
        places.append(here)
        waiting, before = 0, here
    end = 0.0 if before is None else before
    return places + _between(end, end + 1, waiting)


def _between(low: float, high: float, count: int) -> list[float]:
    return [low + (high - low) * (index + 1) / (count + 1) for index in range(count)]


def _alt(data: ChartData, stacks: pd.DataFrame) -> str:
    parts = []
    for row in stacks.to_dict(orient="records"):
        values = data.iterations_of(int(row["condition_id"]))["e2e_ms"]
        ends = f"between {spell_time(values.min())} and {spell_time(values.max())}"
        words = "struck out" if row["struck"] else ends
        parts.append(f"{row['title']} ({row['reach']}) {words}")
    return f"End-to-end latency of each timed iteration: {'; '.join(parts)}."


def _table(requests: pd.DataFrame, looks: Mapping[int, Look]) -> Table:
    columns = [
        stack_column(),
        path_column(),
        Column(title="Iteration", is_number=True),
        Column(title="Block", is_number=True),
        Column(title="Kind"),
        time_column("E2E"),
        time_column("TTFT"),
        time_column("TPOT"),
        Column(title="Tokens", is_number=True),
    ]
    rows = [list(_cells(row, looks)) for row in requests.to_dict(orient="records")]
    return table_of(columns, rows, "Every request, in the order in which they were made")


def _cells(row: Mapping[Any, Any], looks: Mapping[int, Look]) -> Iterator[Cell]:
    struck = looks[int(row["condition_id"])].struck
    yield words_cell(row["title"])
    yield words_cell(f"{row['language']} · {row['reach']}")
    yield count_cell(row["iteration"])
    yield count_cell(row["block"])
    kind = "warm-up" if row["is_warmup"] else "timed"
    marks = [kind, *(["outlier"] if row["is_outlier"] else [])]
    if row["outcome"] != "complete":
        marks.append(str(row["outcome"]))
    yield Cell(text=", ".join(marks), note=str(row["failure"]))
    for column in ("e2e_ms", "ttft_ms", "tpot_ms"):
        yield time_cell(float(row[column]), struck=struck and "its answers are wrong")
    yield count_cell(row["output_tokens"])

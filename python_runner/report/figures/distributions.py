"""How TTFT, ITL and TPOT are spread: a box for each stack, and its values as dots."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from python_runner.analyse.spread import Spread, spread_of, thin
from python_runner.report.answers import STRUCK
from python_runner.report.charts.data import ChartData, served_words
from python_runner.report.document import Cell, Column, Figure, Table
from python_runner.report.figures.lanes import BAR, PITCH, Lane, lanes_axis, lanes_of
from python_runner.report.figures.looks import looks_of, number
from python_runner.report.figures.sheet import Panel, Trace, sheet, title
from python_runner.report.figures.words import (
    caption,
    count_cell,
    path_column,
    sample_words,
    stack_column,
    table_of,
    time_cell,
    time_column,
    words_cell,
)
from python_runner.report.palette import tint
from python_runner.report.paths import panels
from python_runner.report.units import TimeUnit, spell_time, unit_for

TITLE = "How TTFT, ITL and TPOT are spread"
MOST_DOTS = 300
"""Of one stack in one panel; more of them make a page heavy and a line black."""
_METRICS = {
    "ttft": ("TTFT", "request sent to first token"),
    "itl": ("ITL", "gap between two tokens"),
    "tpot": ("TPOT", "time for each token after the first"),
}
_GOLDEN = 0.618034
_DOTS_SPAN = 0.8


@dataclass(frozen=True, kw_only=True)
class _Values:
    """The values of one stack in one panel, and the request that each belongs to."""

    ms: npt.NDArray[np.float64]
    owners: npt.NDArray[np.intp]
    """Rows of `requests`."""
    requests: pd.DataFrame
    spread: Spread


def distributions(data: ChartData) -> Figure | None:
    """Of complete timed requests, as `summary` counts them; None where there are none."""
    stacks = _in_order(data.measured)
    if stacks.empty:
        return None
    looks = looks_of(data.summary)
    drawn: list[Panel] = []
    traces: list[Trace] = []
    table: list[list[Cell]] = []
    is_thinned = False
    for index, (name, (short, meaning)) in enumerate(_METRICS.items()):
        lanes = lanes_of(stacks, looks, index)
        found = [_values(data, int(lane.row["condition_id"]), name) for lane in lanes]
        high = max((one.spread.high for one in found if one.spread.n), default=0.0)
        unit = unit_for(high)
        drawn.append(_panel(lanes, high / unit.ms, unit, short, meaning))
        for lane, values in zip(lanes, found, strict=True):
            traces += _lane(data, lane, values, unit, short)
            table.append(list(_cells(lane, values.spread, short)))
            is_thinned = is_thinned or values.ms.size > MOST_DOTS
    thinned = (
        f" Boxes stand on all values; of more than {MOST_DOTS}, {MOST_DOTS} are drawn as dots, "
        "evenly by rank, the smallest and the largest among them."
        if is_thinned
        else ""
    )
    how = (
        "Complete timed requests. Box: the middle half, with the median. Whiskers: from 5% to 95%. "
        "Dots: single values. ITL: every gap that was seen. Embedded stacks stand first, each name "
        f"says which it is.{served_words(stacks, 'Hollow dots')}{thinned}"
    )
    return Figure(
        key="distributions",
        title=TITLE,
        alt=_alt(stacks),
        caption=caption(data.facts, how, stacks),
        plot=sheet(drawn, traces),
        table=_table(table),
    )


def _in_order(stacks: pd.DataFrame) -> pd.DataFrame:
    """Embedded ones first."""
    parts = [panel.stacks for panel in panels(stacks)]
    return pd.concat(parts) if parts else stacks


def _values(data: ChartData, condition_id: int, name: str) -> _Values:
    requests = data.requests.loc[data.iterations_of(condition_id).index]
    if name == "itl":
        arrays = [np.asarray(gaps, dtype=np.float64) for gaps in requests["itl_ms"]]
        ms = np.concatenate(arrays) if arrays else np.empty(0)
        owners = np.repeat(np.arange(len(arrays)), [array.size for array in arrays])
    else:
        ms = requests[f"{name}_ms"].to_numpy(dtype=np.float64)
        owners = np.arange(len(requests))
    known = np.isfinite(ms)
    return _Values(ms=ms[known], owners=owners[known], requests=requests, spread=spread_of(ms))


def _panel(lanes: list[Lane], high: float, unit: TimeUnit, short: str, meaning: str) -> Panel:
    return Panel(
        caption=f"<b>{short}</b>: {meaning}",
        height=PITCH * len(lanes),
        x={"range": [0, number(high * 1.08) or 1], "title": title(f"{short} ({unit.name})")},
        y=lanes_axis(lanes),
        holds_names=True,
    )


def _lane(
    data: ChartData, lane: Lane, values: _Values, unit: TimeUnit, short: str
) -> Iterator[Trace]:
    yield lane.label()
    if not values.spread.n:
        yield lane.nothing(0, "no value")
        return
    if lane.look.struck:
        yield lane.nothing(0, f"{STRUCK}: the answers are wrong")
        return
    yield _box(lane, values.spread, unit, short)
    shown = thin(values.ms, MOST_DOTS)
    rows = values.requests.to_dict(orient="records")
    words = [sample_words(lane.look, row, data.facts.run_id) for row in rows]
    # Spread by their order, evenly and without chance.
    heights = lane.centre + ((shown * _GOLDEN) % 1 - 0.5) * BAR * _DOTS_SPAN
    yield lane.trace(
        mode="markers",
        x=[number(value / unit.ms) for value in values.ms[shown].tolist()],
        y=[number(value) for value in heights.tolist()],
        marker=lane.look.dots(4.5 if values.ms.size > MOST_DOTS / 4 else 6, opacity=0.75),
        hoverinfo="text",
        hovertext=[
            f"{short} {spell_time(float(values.ms[place]))}<br>{words[values.owners[place]]}"
            for place in shown
        ],
        cliponaxis=False,
    )


def _box(lane: Lane, spread: Spread, unit: TimeUnit, short: str) -> Trace:
    def at(value: float) -> list[float | None]:
        return [number(value / unit.ms)]

    return lane.trace(
        type="box",
        orientation="h",
        y=[lane.centre],
        width=BAR,
        lowerfence=at(spread.p5),
        q1=at(spread.p25),
        median=at(spread.p50),
        q3=at(spread.p75),
        upperfence=at(spread.p95),
        fillcolor=tint(lane.look.color, 0.18),
        line={"color": lane.look.color, "width": 1.4},
        whiskerwidth=0.4,
        hoveron="boxes",
        hoverinfo="skip",
    )


def _alt(stacks: pd.DataFrame) -> str:
    parts = [
        f"{row['title']} ({row['reach']}) TTFT {spell_time(row['ttft_ms'])}, "
        f"TPOT {spell_time(row['tpot_ms'])}"
        for row in stacks.to_dict(orient="records")
        if not row["struck"]
    ]
    return f"Boxes of TTFT, ITL and TPOT of each stack. Medians: {'; '.join(parts)}."


def _cells(lane: Lane, spread: Spread, short: str) -> Iterator[Cell]:
    struck = "its answers are wrong" if lane.look.struck else ""
    yield words_cell(f"{lane.row['title']} {lane.row['version']}".strip())
    yield words_cell(f"{lane.row['language']} · {lane.row['reach']}")
    yield words_cell(short)
    yield count_cell(spread.n)
    for value in (spread.low, spread.p5, spread.p25, spread.p50, spread.p75, spread.p95):
        yield time_cell(value, struck=struck)
    yield time_cell(spread.high, struck=struck)


def _table(rows: list[list[Cell]]) -> Table:
    quantiles = [time_column(name) for name in ("Lowest", "5%", "25%", "Median", "75%", "95%")]
    columns: list[Any] = [
        stack_column(),
        path_column(),
        Column(title="Figure"),
        Column(title="Values", is_number=True),
        *quantiles,
        time_column("Highest"),
    ]
    return table_of(columns, rows, "Spread of TTFT, ITL and TPOT")

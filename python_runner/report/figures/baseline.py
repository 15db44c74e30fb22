"""Baseline: the median E2E latency of every stack as a bar, every iteration a dot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from python_runner.analyse.fast import FAST_FACTOR
from python_runner.analyse.spread import thin
from python_runner.analyse.summary import FEWEST_FOR_INTERVAL
from python_runner.report.answers import STRUCK
from python_runner.report.charts.data import ChartData, served_words, struck_words
from python_runner.report.document import Figure
from python_runner.report.figures.baseline_words import medians_in_words, medians_table
from python_runner.report.figures.lanes import (
    BAR,
    PITCH,
    ROOM_FOR_VALUE,
    Lane,
    lanes_axis,
    lanes_of,
    offsets,
)
from python_runner.report.figures.looks import looks_of, number
from python_runner.report.figures.sheet import Panel, Trace, sheet, title
from python_runner.report.figures.words import (
    SHORT_PATH_WORDS,
    broken,
    caption,
    left_out,
    sample_words,
)
from python_runner.report.palette import INK, PAPER, tint
from python_runner.report.paths import panels
from python_runner.report.units import (
    MISSING,
    TIMES,
    TimeUnit,
    spell_range,
    spell_ratio,
    spell_time,
    unit_for,
)

TITLE = "Baseline: end-to-end latency of each stack"
ZOOMED_TITLE = "Baseline, zoomed on the fast stacks"
_MARKS = (
    "Dots: single iterations, the first on top. Thick line: the middle half of them. Whisker: 95% "
    f"interval of the median, given {FEWEST_FOR_INTERVAL} dots or more. Ratios are to the fastest "
    "of the same panel."
)
MOST_DOTS = 300
"""Of one stack, evenly by rank if there are more; the interval stands on all."""
_CUT_MARGIN = 0.12
_DOTS_SPAN = BAR / 2 * 0.94


@dataclass(frozen=True, kw_only=True)
class _Drawing:
    """What all lanes of a figure share."""

    data: ChartData
    unit: TimeUnit
    start: float
    """Where the axis starts, in its unit; above 0 there are no bars."""
    end: float


def baseline(data: ChartData) -> Figure | None:
    """All stacks, from zero; None where no stack was tried."""
    if data.summary.empty:
        return None
    served = served_words(data.summary, "Hollow dots, striped bar")
    struck = struck_words(data.summary, "Crossed, without colour")
    how = f"Bar: median. {_MARKS}{served}{struck}"
    return _figure(data, data.summary, "baseline", TITLE, how, is_cut=False)


def baseline_zoomed(data: ChartData) -> Figure | None:
    """The fast stacks only, as in the still picture; None where no stack has a result.

    Where slower ones are left out, bars from zero again; where all are close, only a part of
    the axis shows a difference, and there are dots without bars.
    """
    fast = data.fast
    if fast.shown.empty:
        return None
    served = served_words(fast.shown, "Hollow dots")
    is_cut = not len(fast.left_out)
    within = f"within {FAST_FACTOR:g}{TIMES} of the fastest"
    how = (
        f"All stacks with a result are {within}, so this shows a part of the axis, and no bars, "
        f"since lengths would mislead. Upright line: median. {_MARKS}{served}"
        if is_cut
        else f"Stacks {within}. {left_out(data)} Bar: median. {_MARKS}{served}"
    )
    return _figure(data, fast.shown, "baseline-zoomed", ZOOMED_TITLE, how, is_cut=is_cut)


def _figure(
    data: ChartData, stacks: pd.DataFrame, key: str, name: str, how: str, *, is_cut: bool
) -> Figure:
    looks = looks_of(data.summary)
    parts = [(panel, lanes_of(panel.stacks, looks, i)) for i, panel in enumerate(panels(stacks))]
    drawing = _drawing(data, stacks, is_cut=is_cut)
    note = "; axis does not start at zero" if drawing.start > 0 else ""
    drawn = [
        Panel(
            caption=SHORT_PATH_WORDS[panel.reach],
            height=PITCH * len(lanes),
            x={
                "range": [drawing.start, drawing.end],
                "showticklabels": index == len(parts) - 1,
                **({"matches": "x"} if index else {}),
                **(
                    {"title": title(f"E2E latency ({drawing.unit.name}){note}")}
                    if index == len(parts) - 1
                    else {}
                ),
            },
            y=lanes_axis(lanes),
            holds_names=True,
        )
        for index, (panel, lanes) in enumerate(parts)
    ]
    traces = [
        trace
        for _, lanes in parts
        for lane in lanes
        for trace in _lane(drawing, lane, is_alone=len(lanes) == 1)
    ]
    if data.complete.groupby("condition_id").size().max() > MOST_DOTS:
        how += f" Of more than {MOST_DOTS} iterations, {MOST_DOTS} are drawn, evenly by rank."
    return Figure(
        key=key,
        title=name,
        alt=medians_in_words(stacks),
        caption=caption(data.facts, how, stacks),
        plot=sheet(drawn, traces),
        table=medians_table(stacks),
    )


def _drawing(data: ChartData, stacks: pd.DataFrame, *, is_cut: bool) -> _Drawing:
    shown = data.complete[data.complete["condition_id"].isin(stacks["condition_id"])]["e2e_ms"]
    ends = [*shown.tolist(), *stacks["e2e_high_ms"].dropna().tolist()]
    unit = unit_for(max(ends, default=0.0))
    high = max(ends, default=1.0) / unit.ms
    low = min(ends, default=0.0) / unit.ms
    start = max(0.0, low - max(_CUT_MARGIN * (high - low), 0.004 * high)) if is_cut else 0.0
    return _Drawing(
        data=data,
        unit=unit,
        start=number(start) or 0.0,
        end=number(start + (high - start) * ROOM_FOR_VALUE) or 1.0,
    )


def _lane(drawing: _Drawing, lane: Lane, *, is_alone: bool) -> Iterator[Trace]:
    yield lane.label()
    mine = drawing.data.iterations_of(int(lane.row["condition_id"]))
    if mine.empty:
        yield lane.nothing(drawing.start, "no complete sample")
        return
    is_cut = drawing.start > 0
    median = float(lane.row["e2e_ms"]) / drawing.unit.ms
    yield _median_line(lane, median) if is_cut else _bar(lane, median)
    if lane.look.struck:
        yield lane.value(median, f"<b>{STRUCK}</b>")
        return
    unit = drawing.unit
    yield from _spans(lane, unit)
    yield _dots(lane, mine, drawing)
    ends = [float(mine["e2e_ms"].max()), float(np.nan_to_num(lane.row["e2e_high_ms"]))]
    yield lane.value(max(ends) / unit.ms, _value(lane.row, is_alone=is_alone))


def _bar(lane: Lane, median: float) -> Trace:
    look = lane.look
    fill = PAPER if look.struck else tint(look.color, 0.34)
    pattern = "x" if look.struck else look.pattern
    return lane.trace(
        type="bar",
        orientation="h",
        x=[number(median)],
        y=[lane.centre],
        width=[BAR],
        marker={
            "color": fill,
            "line": {"color": look.color, "width": 1.2},
            "pattern": {
                "shape": pattern,
                "fgcolor": look.color,
                "bgcolor": fill,
                "size": 9,
                "solidity": 0.14,
            },
        },
        hoverinfo="text",
        hovertext=[_summary_words(lane)],
    )


def _median_line(lane: Lane, median: float) -> Trace:
    half = BAR / 2
    return lane.trace(
        mode="lines",
        x=[number(median)] * 2,
        y=[lane.centre - half, lane.centre + half],
        line={"color": lane.look.color, "width": 3},
        hoverinfo="text",
        hovertext=[_summary_words(lane)] * 2,
    )


def _spans(lane: Lane, unit: TimeUnit) -> Iterator[Trace]:
    """The middle half, and on it the interval of the median."""
    row = lane.row
    for low, high, style in (
        ("e2e_p25_ms", "e2e_p75_ms", {"color": tint(lane.look.color, 0.5), "width": 7}),
        ("e2e_low_ms", "e2e_high_ms", {"color": INK, "width": 1.6}),
    ):
        ends = [float(row[low]), float(row[high])]
        if not np.isfinite(ends).all():
            continue
        has_caps = style["color"] == INK
        yield lane.trace(
            mode="lines+markers" if has_caps else "lines",
            x=[number(value / unit.ms) for value in ends],
            y=[lane.centre] * 2,
            line=style,
            marker={"symbol": "line-ns-open", "size": 9, "color": INK, "line": {"width": 1.6}},
            hoverinfo="skip",
        )


def _dots(lane: Lane, mine: pd.DataFrame, drawing: _Drawing) -> Trace:
    shown = mine.iloc[thin(mine["e2e_ms"], MOST_DOTS)]
    rows = drawing.data.requests.loc[shown.index].to_dict(orient="records")
    heights = lane.centre + offsets(len(rows)) * _DOTS_SPAN
    return lane.trace(
        mode="markers",
        x=[number(row["e2e_ms"] / drawing.unit.ms) for row in rows],
        y=[number(float(height)) for height in heights],
        marker=lane.look.dots(7),
        hoverinfo="text",
        hovertext=[sample_words(lane.look, row, drawing.data.facts.run_id) for row in rows],
        cliponaxis=False,
    )


def _value(row: Mapping[Any, Any], *, is_alone: bool) -> str:
    ratio = row["ratio_to_fastest"]
    compared = "fastest" if ratio == 1 else spell_ratio(ratio)
    return f"<b>{spell_time(row['e2e_ms'])}</b>" + ("" if is_alone else f"  {compared}")


def _summary_words(lane: Lane) -> str:
    row, look = lane.row, lane.look
    if look.struck:
        return "<br>".join([f"<b>{look.name}</b>", look.kind, STRUCK, *broken(look.struck)])
    interval = spell_range(row["e2e_low_ms"], row["e2e_high_ms"])
    return "<br>".join(
        [
            f"<b>{look.name}</b>",
            look.kind,
            f"median E2E {spell_time(row['e2e_ms'])}",
            f"95% interval {interval}" if interval != MISSING else "too few for an interval",
            f"middle half {spell_range(row['e2e_p25_ms'], row['e2e_p75_ms'])}",
            f"{int(row['n'])} of {int(row['n_timed'])} timed iterations complete",
        ]
    )

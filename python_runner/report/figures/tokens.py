"""The gap before each token over its place in the answer: does a stack slow down on the way?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from python_runner.analyse.spread import gaps_by_position
from python_runner.report.charts.data import ChartData, served_words
from python_runner.report.document import Cell, Column, Figure, Table
from python_runner.report.figures.looks import Look, looks_of, number
from python_runner.report.figures.sheet import Panel, Trace, axes, sheet, title
from python_runner.report.figures.words import (
    SHORT_PATH_WORDS,
    caption,
    count_cell,
    path_column,
    stack_column,
    step_for,
    table_of,
    time_cell,
    time_column,
    words_cell,
)
from python_runner.report.palette import tint
from python_runner.report.paths import panels
from python_runner.report.units import TimeUnit, spell_range, spell_time, unit_for

TITLE = "Latency of each token over its place in the answer"
_HEIGHT = 300
_HEIGHT_OF_TWO = 215
_HOW_TO_READ = (
    "Gap before each token, from the second on (the first is TTFT). Line: median over the complete "
    "timed requests. Band: their middle half. Tokens that came together with the one before have "
    "no gap of their own."
)
_MOST_MARKS = 40
_MOST_PLACES = 300


def tokens(data: ChartData) -> Figure | None:
    """Of the stacks whose speed counts; None where no gap was seen."""
    counted = data.measured[data.measured["struck"] == ""]
    complete = data.complete[data.complete["condition_id"].isin(counted["condition_id"])]
    gaps = gaps_by_position(complete)
    stacks = counted[counted["condition_id"].isin(gaps["condition_id"])]
    if stacks.empty:
        return None
    step = step_for(int(gaps["token_index"].nunique()), _MOST_PLACES)
    gaps = gaps[(gaps["token_index"] - gaps["token_index"].min()) % step == 0]
    parts, looks = panels(stacks), looks_of(data.summary)
    unit = unit_for(float(gaps["p75_ms"].max()))
    top = float(gaps["p75_ms"].max()) / unit.ms * 1.08
    drawn = [
        Panel(
            caption=SHORT_PATH_WORDS[part.reach],
            height=_HEIGHT if len(parts) == 1 else _HEIGHT_OF_TWO,
            x=_x_axis(gaps, index, is_last=index == len(parts) - 1),
            y={
                "title": title(f"Gap ({unit.name})"),
                "range": [0, number(top)],
                **({"matches": "y"} if index else {}),
            },
        )
        for index, part in enumerate(parts)
    ]
    traces = [
        trace
        for index, part in enumerate(parts)
        for identity in part.stacks["condition_id"]
        for trace in _stack(gaps, int(identity), looks[int(identity)], index, unit)
    ]
    skipped = f" One place in {step} is shown." if step > 1 else ""
    how = f"{_HOW_TO_READ}{skipped}{served_words(stacks, 'Hollow marks')}"
    return Figure(
        key="tokens",
        title=TITLE,
        alt=_alt(gaps, stacks),
        caption=caption(data.facts, how, data.summary),
        plot=sheet(drawn, traces, legend={}),
        table=_table(gaps, stacks),
    )


def _x_axis(gaps: pd.DataFrame, index: int, *, is_last: bool) -> dict[str, Any]:
    first, last = float(gaps["token_index"].min()), float(gaps["token_index"].max())
    pad = 0.02 * (last - first) + 0.3
    return {
        "range": [first - pad, last + pad],
        "showgrid": False,
        "showticklabels": is_last,
        "tickformat": "d",
        **({"dtick": 1} if last - first < 12 else {}),
        **({"matches": "x"} if index else {}),
        **({"title": title("Place of the token in the answer")} if is_last else {}),
    }


def _stack(
    gaps: pd.DataFrame, identity: int, look: Look, panel: int, unit: TimeUnit
) -> Iterator[Trace]:
    mine = gaps[gaps["condition_id"] == identity]
    rows = mine.to_dict(orient="records")
    places = [int(row["token_index"]) for row in rows]
    shared = {"type": "scatter", **look.shared(), **axes(panel), "x": places}

    def line(column: str) -> list[float | None]:
        return [number(row[column] / unit.ms) for row in rows]

    bare = {"mode": "lines", "line": {"width": 0, "color": look.color}, "hoverinfo": "skip"}
    yield {**shared, **bare, "y": line("p25_ms")}
    yield {
        **shared,
        **bare,
        "y": line("p75_ms"),
        "fill": "tonexty",
        "fillcolor": tint(look.color, 0.18),
        "opacity": 0.5,
    }
    yield {
        **shared,
        "mode": "lines+markers" if len(rows) <= _MOST_MARKS else "lines",
        "showlegend": True,
        "y": line("p50_ms"),
        "line": {"color": look.color, "width": 1.6, "dash": look.dash},
        "marker": look.dots(6),
        "hoverinfo": "text",
        "hovertext": [_words(look, row) for row in rows],
    }


def _words(look: Look, row: Mapping[Any, Any]) -> str:
    return "<br>".join(
        [
            f"<b>{look.name}</b>",
            look.kind,
            f"token {int(row['token_index'])}: median gap {spell_time(row['p50_ms'])}",
            f"middle half {spell_range(row['p25_ms'], row['p75_ms'])}",
            f"{int(row['n'])} timed requests",
        ]
    )


def _alt(gaps: pd.DataFrame, stacks: pd.DataFrame) -> str:
    parts = []
    for row in stacks.to_dict(orient="records"):
        mine = gaps[gaps["condition_id"] == row["condition_id"]]["p50_ms"]
        first, last = spell_time(float(mine.iloc[0])), spell_time(float(mine.iloc[-1]))
        parts.append(f"{row['title']} ({row['reach']}) from {first} to {last}")
    return f"Median gap before each token, from the second to the last: {'; '.join(parts)}."


def _table(gaps: pd.DataFrame, stacks: pd.DataFrame) -> Table:
    names = {int(row["condition_id"]): row for row in stacks.to_dict(orient="records")}
    columns = [
        stack_column(),
        path_column(),
        Column(title="Token", is_number=True),
        time_column("25%"),
        time_column("Median gap"),
        time_column("75%"),
        Column(title="Requests", is_number=True),
    ]
    rows = [list(_cells(names[int(row["condition_id"])], row)) for row in _rows(gaps, names)]
    return table_of(columns, rows, "Gap before each token, by its place in the answer")


def _rows(gaps: pd.DataFrame, names: Mapping[int, Any]) -> Iterator[Mapping[Any, Any]]:
    for identity in names:
        yield from gaps[gaps["condition_id"] == identity].to_dict(orient="records")


def _cells(stack: Mapping[Any, Any], row: Mapping[Any, Any]) -> Iterator[Cell]:
    yield words_cell(f"{stack['title']} {stack['version']}".strip())
    yield words_cell(f"{stack['language']} · {stack['reach']}")
    yield count_cell(row["token_index"])
    for column in ("p25_ms", "p50_ms", "p75_ms"):
        yield time_cell(row[column])
    yield count_cell(row["n"])

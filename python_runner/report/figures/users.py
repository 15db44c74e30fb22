"""Loads: TTFT and throughput over users, or over the rate of an open loop."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from python_runner.report.charts.data import served_words
from python_runner.report.document import Cell, Column, Figure, Table, Tone
from python_runner.report.facts import RunFacts
from python_runner.report.figures.looks import Look, looks_of, number, plain
from python_runner.report.figures.sheet import Panel, Trace, axes, sheet, title
from python_runner.report.figures.words import (
    caption,
    count_cell,
    path_column,
    stack_column,
    table_of,
    time_cell,
    time_column,
    words_cell,
)
from python_runner.report.load_data import LoadData, load_words
from python_runner.report.palette import tint
from python_runner.report.units import (
    MILLISECONDS,
    MISSING,
    spell_number,
    spell_range,
    spell_time,
    unit_for,
)

_HEIGHT = 230
_LOG_FROM_LOADS = 8.0
_LOG_FROM_VALUES = 20.0
_HOW_TO_READ = (
    "From the steady part of each level. Whisker: 95% interval; hollow and pale: too few requests "
    "to be sure."
)


@dataclass(frozen=True, kw_only=True)
class _Quantity:
    """One panel: a column of the levels over their load."""

    column: str
    caption: str
    axis: Mapping[str, Any]
    per_unit: float = 1.0
    is_time: bool = False


def users(data: LoadData, facts: RunFacts) -> Figure | None:
    """Every stack with a level that has a figure; None where there is none."""
    levels = data.measured
    if levels.empty:
        return None
    stacks = data.conditions[data.conditions["condition_id"].isin(levels["condition_id"])]
    stacks = stacks.assign(struck=stacks.get("struck", ""))
    looks = looks_of(stacks)
    quantities = _quantities(levels)
    name = "Requests due per second" if data.is_open else "Users at once"
    drawn = [
        Panel(
            caption=one.caption,
            height=_HEIGHT,
            x=_x_axis(levels, name if index == len(quantities) - 1 else "", index),
            y=one.axis,
        )
        for index, one in enumerate(quantities)
    ]
    traces = [
        trace
        for index, one in enumerate(quantities)
        for identity, look in looks.items()
        for trace in _curve(data, levels[levels["condition_id"] == identity], look, one, index)
    ]
    since = " TTFT counts from when a request was due." if data.is_open else ""
    how = f"{_HOW_TO_READ}{since}{served_words(stacks, 'Hollow marks')}"
    return Figure(
        key="users",
        title="Latency and throughput under load",
        alt=_alt(levels),
        caption=caption(facts, how.replace("hollow and pale", "pale"), stacks),
        plot=sheet(drawn, traces, legend={}),
        table=_table(levels, stacks),
    )


def _quantities(levels: pd.DataFrame) -> list[_Quantity]:
    columns = {"ttft_p50_ms": "median", "ttft_p99_ms": "one in a hundred takes longer"}
    values = levels[list(columns)].to_numpy(dtype=np.float64)
    values = values[np.isfinite(values) & (values > 0)]
    unit = unit_for(float(values.max())) if values.size else MILLISECONDS
    # One scale for both: what is to be compared across them can be.
    axis = _time_axis(values / unit.ms, f"TTFT ({unit.name})")
    found = [
        _Quantity(
            column=column,
            caption=f"<b>TTFT {column[5:8]}</b>: {words}",
            axis=axis,
            per_unit=unit.ms,
            is_time=True,
        )
        for column, words in columns.items()
    ]
    rates = levels["tokens_per_s"].to_numpy(dtype=np.float64)
    high = float(np.nanmax(rates)) if np.isfinite(rates).any() else 1.0
    rate = _Quantity(
        column="tokens_per_s",
        caption="<b>TGR</b>: output tokens of all users",
        axis={"title": title("Tokens/s"), "range": [0, number(high * 1.12)]},
    )
    return [*found, rate]


def _time_axis(values: npt.NDArray[np.float64], name: str) -> dict[str, Any]:
    """From zero, or logarithmic where values lie far apart, which its name says."""
    high = float(values.max()) if values.size else 1.0
    low = float(values.min()) if values.size else 1.0
    if high / low < _LOG_FROM_VALUES:
        return {"title": title(name), "range": [0, number(high * 1.12)]}
    ticks = [step * 10.0**power for power in range(-6, 9) for step in (1, 2, 5)]
    ticks = [tick for tick in ticks if low / 2 <= tick <= high * 2]
    return {
        "title": title(f"{name}<br>logarithmic scale"),
        "type": "log",
        "range": [float(np.log10(low / 1.4)), float(np.log10(high * 1.4))],
        "tickmode": "array",
        "tickvals": ticks,
        "ticktext": [f"{tick:,g}" for tick in ticks],
    }


def _loads(levels: pd.DataFrame) -> pd.Series[float]:
    return levels["users"].astype(float).fillna(levels["rate"].astype(float))


def _x_axis(levels: pd.DataFrame, name: str, index: int) -> dict[str, Any]:
    loads = sorted(set(_loads(levels).tolist()))
    low, high = loads[0], loads[-1]
    is_log = high / low >= _LOG_FROM_LOADS
    scale: dict[str, Any] = {"range": [0, high * 1.08]}
    if is_log:
        pad = 0.05 * float(np.log10(high / low))
        scale = {"type": "log", "range": [float(np.log10(low)) - pad, float(np.log10(high)) + pad]}
    elif low == high:
        scale = {"range": [0.5 * low, 1.5 * low]}
    return {
        **scale,
        "tickmode": "array",
        "tickvals": loads,
        "ticktext": [f"{load:,g}" for load in loads],
        "showgrid": False,
        **({"matches": "x"} if index else {}),
        **({"title": title(name)} if name else {}),
    }


def _curve(
    data: LoadData, levels: pd.DataFrame, look: Look, one: _Quantity, panel: int
) -> Iterator[Trace]:
    """One stack's levels in one panel."""
    mine = levels.sort_values(["users", "rate"])
    rows = mine.to_dict(orient="records")
    loads = _loads(mine).tolist()
    values = [number(row[one.column] / one.per_unit) for row in rows]
    sure = [_is_sure(row, one) for row in rows]
    yield {
        "type": "scatter",
        **look.shared(),
        **axes(panel),
        "mode": "lines+markers",
        "showlegend": panel == 0,
        "x": loads,
        "y": values,
        "line": {"color": tint(look.color, 0.5), "width": 1.5, "dash": look.dash},
        "marker": {
            **look.dots(9),
            "color": [look.color if known else tint(look.color, 0.5) for known in sure],
        },
        "hoverinfo": "text",
        "hovertext": [_words(look, row, data) for row in rows],
        "cliponaxis": False,
        **(_whiskers(rows, one, look) if one.is_time else {}),
    }


def _is_sure(row: Mapping[Any, Any], one: _Quantity) -> bool:
    return not one.is_time or bool(row[one.column.replace("_ms", "_sure")])


def _whiskers(rows: list[dict[Any, Any]], one: _Quantity, look: Look) -> dict[str, Any]:
    up, down = [], []
    for row in rows:
        value = float(row[one.column])
        ends = (float(row[one.column.replace("_ms", f"_{end}_ms")]) for end in ("low", "high"))
        low, high = ends
        known = np.isfinite([low, high]).all()
        up.append(number((high - value) / one.per_unit) if known else 0)
        down.append(number((value - low) / one.per_unit) if known else 0)
    return {
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": up,
            "arrayminus": down,
            "color": look.color,
            "thickness": 1.2,
            "width": 4,
        }
    }


def _words(look: Look, row: Mapping[Any, Any], data: LoadData) -> str:
    lines = [
        f"<b>{look.name}</b>",
        look.kind,
        f"run {int(data.run['run_id'])} · {plain(load_words(row))} · timed, warm-up left out",
        f"TTFT p50 {spell_time(row['ttft_p50_ms'])}, p99 {spell_time(row['ttft_p99_ms'])}",
        f"TPOT p50 {spell_time(row['tpot_p50_ms'])} · E2E p50 {spell_time(row['e2e_p50_ms'])}",
        f"TGR {spell_number(row['tokens_per_s'])} tokens/s",
        f"{int(row['n'])} complete requests, {int(row['n_failed'])} failed",
    ]
    if not bool(row["ttft_p50_sure"]):
        lines.append("too few requests to be sure of p50")
    elif not bool(row["ttft_p99_sure"]):
        lines.append("too few requests to be sure of p99")
    if row["lack"]:
        lines.append(plain(f"no steady state: {row['lack']}"))
    return "<br>".join(lines)


def _alt(levels: pd.DataFrame) -> str:
    parts = []
    for name, mine in levels.groupby("title", sort=False):
        rows = mine.sort_values(["users", "rate"]).to_dict(orient="records")
        said = (
            f"at {load_words(row)} TTFT {spell_time(row['ttft_p50_ms'])} and "
            f"{spell_number(row['tokens_per_s'])} tokens/s"
            for row in (rows[0], rows[-1])
        )
        parts.append(f"{name} {', '.join(dict.fromkeys(said))}")
    return f"Median TTFT and output tokens per second over the load: {'; '.join(parts)}."


def _table(levels: pd.DataFrame, stacks: pd.DataFrame) -> Table:
    names = {int(row["condition_id"]): row for row in stacks.to_dict(orient="records")}
    columns = [
        stack_column(),
        path_column(),
        Column(title="Load", is_number=True),
        time_column("TTFT p50"),
        Column(title="95% interval"),
        time_column("TTFT p99"),
        time_column("TPOT p50"),
        time_column("E2E p50"),
        Column(title="TGR (tokens/s)", is_number=True),
        Column(title="Requests", is_number=True),
        Column(title="Failed", is_number=True),
    ]
    rows = [
        list(_cells(names[int(row["condition_id"])], row))
        for row in levels.to_dict(orient="records")
    ]
    return table_of(columns, rows, "Latency and throughput of each level")


def _cells(stack: Mapping[Any, Any], row: Mapping[Any, Any]) -> Iterator[Cell]:
    load = row["rate"] if np.isnan(row["users"]) else row["users"]
    yield words_cell(f"{stack['title']} {stack['version']}".strip())
    yield words_cell(f"{stack['language']} · {stack['reach']}")
    yield Cell(text=load_words(row), value=float(load))
    yield _percentile(row, "ttft_p50")
    yield words_cell(spell_range(row["ttft_p50_low_ms"], row["ttft_p50_high_ms"]))
    for name in ("ttft_p99", "tpot_p50", "e2e_p50"):
        yield _percentile(row, name)
    rate = float(row["tokens_per_s"])
    yield Cell(text=spell_number(rate), value=rate) if np.isfinite(rate) else Cell(text=MISSING)
    yield count_cell(row["n"])
    yield count_cell(row["n_failed"])


def _percentile(row: Mapping[Any, Any], name: str) -> Cell:
    cell = time_cell(float(row[f"{name}_ms"]))
    if cell.value is None or bool(row[f"{name}_sure"]):
        return cell
    return Cell(text=f"~ {cell.text}", value=cell.value, tone=Tone.UNKNOWN)

"""Where the time goes: each stack's request as a bar, cut into its stages."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from python_runner.analyse.stages.breakdown import Stage
from python_runner.report.answers import STRUCK
from python_runner.report.charts.data import ChartData
from python_runner.report.document import Cell, Column, Figure, Table, Tone
from python_runner.report.figures.lanes import (
    BAR,
    PITCH,
    ROOM_FOR_VALUE,
    Lane,
    lanes_axis,
    lanes_of,
)
from python_runner.report.figures.looks import looks_of, number, plain
from python_runner.report.figures.sheet import Panel, Trace, axes, sheet, title
from python_runner.report.figures.words import (
    SHORT_PATH_WORDS,
    caption,
    path_column,
    stack_column,
    table_of,
    time_cell,
    time_column,
    words_cell,
)
from python_runner.report.palette import PAPER, STAGES
from python_runner.report.paths import panels
from python_runner.report.units import TimeUnit, spell_share, spell_time, unit_for

TITLE = "Where the time goes: a request of each stack"
_HOW_TO_READ = (
    "From sending a request to the end of its answer, text included: means over the middle half "
    "of the complete timed requests. Rest: the engine's own loop where it is seen, and what is "
    "unattributed."
)


def stages(data: ChartData) -> Figure | None:
    """One bar for each stack; None where no request was complete."""
    found = _with_struck(data)
    if found.empty:
        return None
    looks = looks_of(data.summary)
    longest = float(found["request_ms"].max())
    unit = unit_for(longest)
    parts = [(panel, lanes_of(panel.stacks, looks, i)) for i, panel in enumerate(panels(found))]
    drawn = [
        Panel(
            caption=SHORT_PATH_WORDS[panel.reach],
            height=PITCH * len(lanes),
            x={
                "range": [0, number(longest / unit.ms * ROOM_FOR_VALUE)],
                "showticklabels": index == len(parts) - 1,
                **({"matches": "x"} if index else {}),
                **(
                    {"title": title(f"Time of a request ({unit.name})")}
                    if index == len(parts) - 1
                    else {}
                ),
            },
            y=lanes_axis(lanes),
            holds_names=True,
        )
        for index, (panel, lanes) in enumerate(parts)
    ]
    key = [_key(stage) for stage in Stage]
    bars = [trace for _, lanes in parts for lane in lanes for trace in _lane(lane, unit)]
    how = f"{_HOW_TO_READ} {_not_visible(found)}"
    # A stage is no stack: its entry explains a colour and switches nothing.
    legend = {"itemclick": False, "itemdoubleclick": False, "traceorder": "normal"}
    return Figure(
        key="stages",
        title=TITLE,
        alt=_alt(found),
        caption=caption(data.facts, how, data.summary),
        plot={**_stacked(sheet(drawn, [*key, *bars], legend=legend))},
        table=_table(found),
    )


def _with_struck(data: ChartData) -> pd.DataFrame:
    """The stages, with what the summary says of each stack's answers, in its order."""
    struck = data.summary.set_index("condition_id")["struck"]
    found = data.stages.assign(struck=data.stages["condition_id"].map(struck).fillna(""))
    order = {identity: place for place, identity in enumerate(data.summary["condition_id"])}
    return found.sort_values("condition_id", key=lambda column: column.map(order), kind="stable")


def _stacked(plot: dict[str, Any]) -> dict[str, Any]:
    return {**plot, "layout": {**plot["layout"], "barmode": "overlay"}}


def _key(stage: Stage) -> Trace:
    return {
        "type": "bar",
        "name": stage.value,
        "x": [None],
        "y": [0],
        "marker": {"color": STAGES[stage]},
        "showlegend": True,
        "hoverinfo": "skip",
        **axes(0),
    }


def _lane(lane: Lane, unit: TimeUnit) -> Iterator[Trace]:
    yield lane.label()
    if lane.look.struck:
        yield lane.nothing(0, f"{STRUCK}: the answers are wrong")
        return
    begin = 0.0
    for stage in Stage:
        ms = float(lane.row[stage.value])
        if not math.isfinite(ms):
            continue
        yield lane.trace(
            type="bar",
            orientation="h",
            x=[number(ms / unit.ms)],
            base=[number(begin / unit.ms)],
            y=[lane.centre],
            width=[BAR],
            marker={"color": STAGES[stage], "line": {"color": PAPER, "width": 0.6}},
            hoverinfo="text",
            hovertext=[_words(lane, stage, ms)],
        )
        begin += ms
    request = float(lane.row["request_ms"])
    yield lane.value(request / unit.ms, f"<b>{spell_time(request)}</b>")


def _words(lane: Lane, stage: Stage, ms: float) -> str:
    whole = float(lane.row["request_ms"])
    hidden = [plain(name) for name, place in lane.row["within"].items() if place == stage]
    return "<br>".join(
        [
            f"<b>{lane.look.name}</b>",
            lane.look.kind,
            f"{stage.value}: {spell_time(ms)}, {spell_share(ms / whole)} of {spell_time(whole)}",
            *([f"holds {', '.join(hidden)}, which cannot be told apart"] if hidden else []),
            f"means over {int(lane.row['n'])} requests",
        ]
    )


def _not_visible(found: pd.DataFrame) -> str:
    said = []
    for stack in found.to_dict(orient="records"):
        hidden = ", ".join(f"{stage} (in {place})" for stage, place in stack["within"].items())
        if hidden:
            said.append(f"Not visible of {stack['title']}: {hidden}.")
    return " ".join(said)


def _alt(found: pd.DataFrame) -> str:
    parts = []
    for row in found[found["struck"] == ""].to_dict(orient="records"):
        largest = max(Stage, key=lambda stage: _known(row, stage))
        share = spell_share(_known(row, largest) / row["request_ms"])
        parts.append(f"{row['title']} ({row['reach']}) spends {share} in {largest.value}")
    return f"Bars of a request's time, cut into stages: {'; '.join(parts)}."


def _known(row: Mapping[Any, Any], stage: Stage) -> float:
    ms = float(row[stage.value])
    return ms if math.isfinite(ms) else 0.0


def _table(found: pd.DataFrame) -> Table:
    columns = [
        stack_column(),
        path_column(),
        *(time_column(stage.value.capitalize()) for stage in Stage),
        time_column("Whole request"),
        Column(title="Unattributed", is_number=True),
    ]
    rows = [list(_cells(row)) for row in found.to_dict(orient="records")]
    return table_of(columns, rows, "Stages of a request")


def _cells(row: Mapping[Any, Any]) -> Iterator[Cell]:
    struck = "its answers are wrong" if row["struck"] else ""
    yield words_cell(f"{row['title']} {row['version']}".strip())
    yield words_cell(f"{row['language']} · {row['reach']}")
    for stage in Stage:
        if stage.value in row["within"] and not struck:
            yield Cell(text=f"in {row['within'][stage.value]}", tone=Tone.UNKNOWN)
        else:
            yield time_cell(float(row[stage.value]), struck=struck)
    yield time_cell(float(row["request_ms"]), struck=struck)
    share = float(row["unattributed_share"])
    yield Cell(text=spell_share(share), value=share if math.isfinite(share) else None)

"""What stacks cost to own, one line for each, and where every figure comes from."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pandas as pd
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from python_runner.analyse.upkeep import figure_base, users_of
from python_runner.report.terminal.layout import QUIET, Column, FittingTable, language_style
from python_runner.report.units import TO, spell_bytes, spell_number, spell_time

UNKNOWN = "?"
_WIDE = 90
_WIDER = 100
_MS_PER_S = 1000.0
_SPELLINGS: tuple[tuple[str, Callable[[float], str]], ...] = (
    ("_bytes", spell_bytes),
    ("_ms", spell_time),
    ("_tokens_per_s", lambda value: f"{spell_number(value)} tokens/s"),
    ("_s", lambda value: spell_time(value * _MS_PER_S)),
    ("_j_per_token", lambda value: f"{spell_number(value)} J"),
)
"""How values are written, by how the figure's name ends."""


def upkeep_report(table: pd.DataFrame, *, with_sources: bool = False) -> RenderableType:
    """The table of `analyse.upkeep`, for a terminal.

    Args:
        table: what `upkeep` returns.
        with_sources: also where each figure comes from, and why others are not known.
    """
    if table.empty:
        return Text("No stacks were asked for.", style=QUIET)
    parts: list[RenderableType] = [FittingTable(columns=_COLUMNS, rows=_wide(table))]
    levels = table[table["figure"].map(users_of).notna()]
    if len(levels):
        parts.append(_users(levels))
    n_unknown = int(table["value"].isna().sum())
    if with_sources:
        parts.append(_sources(table))
    else:
        parts.append(
            Text(
                f"{UNKNOWN} is not known ({n_unknown} of {len(table)}). Where each figure comes "
                "from, or why there is none: --sources. What they mean: docs/upkeep.md.",
                style=QUIET,
            )
        )
    return Group(*parts)


def spell_figure(figure: str, value: float) -> str:
    """A value with its unit, as people read it; `?` for NaN."""
    if math.isnan(value):
        return UNKNOWN
    base = figure_base(figure)
    spell = next((way for end, way in _SPELLINGS if base.endswith(end)), "{:,.0f}".format)
    return spell(value) if value else "0"


def _wide(table: pd.DataFrame) -> pd.DataFrame:
    """One row for each stack, its figures by name."""
    rows = []
    for stack in table["stack"].unique():
        mine = table[table["stack"] == stack].to_dict(orient="records")
        identity = {name: mine[0][name] for name in ("stack", "title", "language", "reach")}
        rows.append({**identity, "figures": {str(one["figure"]): one for one in mine}})
    return pd.DataFrame(rows)


def _figure(header: str, figure: str, *, from_width: int = 0) -> Column:
    def cell(row: Mapping[Any, Any]) -> tuple[str, str]:
        found = row["figures"].get(figure)
        if found is None:
            return UNKNOWN, ""
        low, high = float(found["low"]), float(found["high"])
        has_range = not (math.isnan(low) or math.isnan(high))
        ends = f"{_short(figure, low)}{TO}{_short(figure, high)}" if has_range else ""
        return spell_figure(figure, float(found["value"])), ends

    return Column(header=header, cell=cell, from_width=from_width)


def _short(figure: str, value: float) -> str:
    return spell_figure(figure, value).split(" ")[0]


def _users(levels: pd.DataFrame) -> RenderableType:
    """TGR and TTFT at each number of users."""
    counts = sorted({users for users in levels["figure"].map(users_of) if users is not None})
    shown = Table("under load", *(f"{users} users" for users in counts), box=None)
    for title in levels["title"].unique():
        mine = levels[levels["title"] == title].set_index("figure")["value"]
        shown.add_row(str(title), *(_at(mine, int(users)) for users in counts))
    return shown


def _at(values: pd.Series[Any], users: int) -> str:
    figures = (f"tgr_tokens_per_s@{users}", f"ttft_p95_ms@{users}")
    rate, wait = (spell_figure(name, float(values.get(name, math.nan))) for name in figures)
    return f"{rate}\nTTFT p95 {wait}"


def _sources(table: pd.DataFrame) -> RenderableType:
    shown = Table("stack", "figure", "value", "where it comes from", box=None)
    for row in _lines(table):
        shown.add_row(*row)
    return shown


def _lines(table: pd.DataFrame) -> Iterator[tuple[str, str, str, str]]:
    for row in table.to_dict(orient="records"):
        figure = str(row["figure"])
        why = str(row["source"]) or str(row["why_unknown"])
        yield str(row["stack"]), figure, spell_figure(figure, float(row["value"])), why


_COLUMNS = (
    Column(
        header="stack",
        cell=lambda row: (str(row["title"]), f"{row['language']}, {row['reach']}"),
        justify="left",
        style=language_style,
        may_wrap=True,
    ),
    _figure("cold start", "cold_start_s"),
    _figure("recovery", "recovery_s"),
    _figure("build", "build_s"),
    _figure("deployed", "deployed_bytes"),
    _figure("packages", "dependencies"),
    _figure("our lines", "own_lines"),
    _figure("memory", "peak_memory_bytes", from_width=_WIDE),
    _figure("energy/token", "energy_j_per_token", from_width=_WIDER),
)

"""The latency of every request over time: how a load began, was steady, and ended."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from python_runner.analyse.load.request import LoadOutcome
from python_runner.report.charts.data import looks, stack_kind, stack_name
from python_runner.report.charts.load.curves import scale_values
from python_runner.report.charts.page import MARGIN, WIDTH, make_page
from python_runner.report.load_data import LoadData, load_words
from python_runner.report.load_facts import load_facts
from python_runner.report.palette import INK, PAPER, QUIET, WARNING, tint
from python_runner.report.units import unit_for

_TICK_ROOM = 0.86
_HEIGHT = 1.75
_TITLE = 0.34
_BELOW = 0.36
_SHADE = "#F1F4F7"
_MANY = 2_000
"""More marks than that are drawn as pixels in an SVG, too."""


def draw_timelines(data: LoadData) -> Iterator[tuple[str, Figure]]:
    """One picture for each stack that has requests, and its name; a panel for each level."""
    for stack in data.conditions.to_dict(orient="records"):
        levels = data.levels[data.levels["condition_id"] == stack["condition_id"]]
        asked = levels[levels["n_requests"] > 0]
        if len(asked):
            yield _file_name(stack), _draw(data, stack, asked)


def _file_name(stack: Mapping[Any, Any]) -> str:
    """Letters, digits and hyphens: a stack of somebody else's is called by its address."""
    return re.sub(r"[^\w-]+", "-", str(stack["stack"]))


def _draw(data: LoadData, stack: Mapping[Any, Any], levels: pd.DataFrame) -> Figure:
    since = "was due" if data.is_open else "was sent"
    step = _TITLE + _HEIGHT + _BELOW
    page = make_page(
        title=f"Every request over time: {stack_name(stack)}",
        how_to_read=(
            f"{stack_kind(stack)}. Each request where it {since}: E2E latency as a full mark, TTFT "
            "as a small dot below it. Grey: warm-up. Cross at the bottom: failed. Shaded: the "
            "steady part, whose requests the figures stand on."
        ),
        facts=load_facts(data),
        left=0.0,
        right=0.0,
        body=step * len(levels) - _BELOW,
    )
    page.axes.set_axis_off()
    for index, level in enumerate(levels.to_dict(orient="records")):
        axes = page.inset(
            left=_TICK_ROOM,
            top=index * step + _TITLE,
            width=WIDTH - 2 * MARGIN - _TICK_ROOM - 0.1,
            height=_HEIGHT,
        )
        _panel(axes, data.requests_of(level["level_id"]), level, stack)
        is_last = index == len(levels) - 1
        axes.set_xlabel(
            f"Seconds since the level began, when the request {since}" if is_last else "",
            fontsize=10,
            color=INK,
            labelpad=6,
        )
    return page.figure


def _panel(
    axes: Axes, requests: pd.DataFrame, level: Mapping[Any, Any], stack: Mapping[Any, Any]
) -> None:
    latencies = requests[["ttft_ms", "answer_ms"]].to_numpy(dtype=np.float64)
    longest = float(np.nanmax(latencies)) if np.isfinite(latencies).any() else 0.0
    unit = unit_for(longest)
    values = latencies.ravel() / unit.ms
    scale_values(axes, values, f"Latency ({unit.name})", may_be_log=False)
    last = max(float(requests["due_s"].max()), 0.001)
    if not level["lack"]:
        last = max(last, level["window_end_s"])
    axes.set_xlim(-0.01 * last, 1.02 * last)
    if not level["lack"]:
        axes.axvspan(level["window_start_s"], level["window_end_s"], color=_SHADE, zorder=0)
        for edge in (level["window_start_s"], level["window_end_s"]):
            axes.axvline(edge, color=QUIET, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
    _scatter(axes, requests, unit.ms, stack)
    axes.set_title(_words(level), fontsize=10, color=INK, loc="left", pad=5)


def _words(level: Mapping[Any, Any]) -> str:
    sent = f"{level['n_requests']:,} requests"
    failed = f", {level['n_failed']:,} failed" if level["n_failed"] else ""
    steady = "no steady part" if level["lack"] else f"{level['n_inside']:,} in the steady part"
    return f"{load_words(level)}: {sent}{failed}, {steady}"


def _scatter(axes: Axes, requests: pd.DataFrame, factor: float, stack: Mapping[Any, Any]) -> None:
    language, _ = looks(stack)
    is_raster = len(requests) > _MANY
    for is_warmup, color in ((False, language.color), (True, "#9AA3AD")):
        mine = requests[requests["is_warmup"] == is_warmup]
        axes.scatter(
            mine["due_s"],
            mine["answer_ms"] / factor,
            s=16,
            marker=language.marker,
            facecolors=color,
            edgecolors=PAPER,
            linewidths=0.4,
            rasterized=is_raster,
            zorder=3,
            label="warm-up" if is_warmup else str(stack["stack"]),
        )
        axes.scatter(
            mine["due_s"],
            mine["ttft_ms"] / factor,
            s=5,
            marker="o",
            color=color if is_warmup else tint(language.color, 0.7),
            linewidths=0,
            rasterized=is_raster,
            zorder=2,
        )
    failed = requests[requests["outcome"] == LoadOutcome.FAILED.value]
    axes.scatter(
        failed["due_s"],
        np.full(len(failed), 0.03),
        s=16,
        marker="x",
        color=WARNING,
        linewidths=1.0,
        transform=axes.get_xaxis_transform(),
        rasterized=is_raster,
        zorder=4,
        label="failed",
    )

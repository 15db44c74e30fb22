"""A run that is going on: a table that is laid out anew when there is news, and a clock."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.segment import Segment
from rich.text import Text

from python_runner.analyse.live import ProbeNoise, StackState
from python_runner.engines.contract import Language
from python_runner.report.facts import RANDOM_WEIGHTS
from python_runner.report.live_data import LiveClock, LiveRun
from python_runner.report.load_data import load_words
from python_runner.report.palette import LANGUAGES
from python_runner.report.terminal.layout import NOTE, QUIET, WARNING, Column, FittingTable
from python_runner.report.units import (
    spell_change,
    spell_duration,
    spell_number,
    spell_time,
)

_WIDE = 96
_NARROW = 66
_BAR = 24
_MOST_LEVELS = 12
_NOISE_NAMES = {"probe_compute_ns": "arithmetic", "probe_memory_ns": "memory"}
_LEGEND = "Above: running median of the timed requests; below: the last request."
_LOAD_LEGEND = "TTFT, TPOT, E2E: medians of the last 10,000 requests, warm-up left out."


class LiveView:
    """A rich renderable of a run at the moment.

    What is laid out is kept until `run` changes, so that a clock that ticks costs little: the
    process that draws may be the one that measures.
    """

    def __init__(self, run: LiveRun, clock: Callable[[], LiveClock], note: str = "") -> None:
        self.run = run
        self._clock = clock
        self.note = note
        """What the process itself says of what it does now; empty where nobody can ask it."""
        self._laid_out: tuple[LiveRun, int, list[list[Segment]]] | None = None

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield _heading(self.run)
        yield clock_line(self.run, self._clock())
        yield Text(self.note or self.run.now, no_wrap=True, overflow="ellipsis")
        for line in self._lines(console, options):
            yield from line
            yield Segment.line()

    def lay_out(self, console: Console) -> None:
        """Do now what the next drawing would else have to do."""
        self._lines(console, console.options)

    def _lines(self, console: Console, options: ConsoleOptions) -> list[list[Segment]]:
        run, width, known = self.run, options.max_width, self._laid_out
        if known is not None and known[0] is run and known[1] == width:
            return known[2]
        body = Group(*_body(run))
        lines = console.render_lines(body, options.update(height=None), pad=False)
        self._laid_out = (run, width, lines)
        return lines


def clock_line(run: LiveRun, clock: LiveClock) -> Text:
    """A bar, the time that is gone and the time left, as far as it can be told."""
    words = clock_words(run, clock)
    if clock.left_s is None:
        return Text(words, style="cyan")
    whole = clock.gone_s + clock.left_s
    filled = round(_BAR * clock.gone_s / whole) if whole > 0 else 0
    bar = Text("\N{BOX DRAWINGS HEAVY HORIZONTAL}" * filled, style="cyan")
    bar.append("\N{BOX DRAWINGS LIGHT HORIZONTAL}" * (_BAR - filled), style=QUIET)
    return bar.append(f" {words}", style="cyan")


def left_words(run: LiveRun, clock: LiveClock) -> str:
    """`about 4 min left`, and what is not in it."""
    if clock.left_s is None:
        return "time left: known when the first visit is over"
    parts = [f"about {spell_duration(clock.left_s)} left"]
    if clock.between:
        parts.append("after what is done now")
    if run.goes_on:
        parts.append(run.goes_on)
    return ", ".join(parts)


def clock_words(run: LiveRun, clock: LiveClock) -> str:
    """`3 min gone, about 4 min left`."""
    return f"{spell_duration(clock.gone_s)} gone, {left_words(run, clock)}"


def news_of(run: LiveRun) -> str:
    """What came last, in one line for a file or a pipe."""
    if not run.is_load:
        return run.last or run.now
    return _level_words(run.levels[-1]) if run.levels else run.now


def _level_words(row: Mapping[Any, Any]) -> str:
    failed = f" ({row['n_failed']:,} failed)" if row["n_failed"] else ""
    return (
        f"{row['title']}, {load_words(row)}: {row['n']:,} requests over{failed}, "
        f"TTFT {spell_time(row['ttft_ms'])}, E2E {spell_time(row['e2e_ms'])}, "
        f"{spell_number(row['tokens_per_s'])} tok/s"
    )


def _heading(run: LiveRun) -> Text:
    title = Text(run.heading, style="bold")
    title.highlight_regex(f"(?i){RANDOM_WEIGHTS}", WARNING)
    return title


def _body(run: LiveRun) -> Iterator[RenderableType]:
    yield Text(run.work, style=QUIET)
    rows = run.levels[-_MOST_LEVELS:] if run.is_load else run.stacks
    if rows:
        yield FittingTable(columns=_LOAD_COLUMNS if run.is_load else _COLUMNS, rows=rows)
        earlier = len(run.levels) - len(rows) if run.is_load else 0
        if earlier:
            yield Text(f"{earlier} levels before these are not shown.", style=QUIET)
    if run.noise:
        yield Text(_noise_words(run.noise))
    for note in run.notes:
        yield Text(note, style=NOTE)
    for warning in run.warnings:
        yield Text(warning, style=WARNING)
    if rows:
        yield Text(_LOAD_LEGEND if run.is_load else _LEGEND, style=QUIET)


def _noise_words(noise: Mapping[str, ProbeNoise]) -> str:
    parts = [
        f"{_NOISE_NAMES[name]} {spell_change(found.last)} (worst {spell_change(found.worst)})"
        for name, found in noise.items()
    ]
    return f"The machine, by its probe, beside its median: {', '.join(parts)}."


def _style(row: Mapping[Any, Any]) -> str:
    return LANGUAGES[Language(row["language"])].terminal if row["language"] else QUIET


_MARKS = {StackState.RUNNING: "\N{BLACK RIGHT-POINTING TRIANGLE} "}


def _stack(row: Mapping[Any, Any]) -> tuple[str, str]:
    state = StackState(row["state"])
    return str(row["title"]), f"{_MARKS.get(state, '')}{state}"


def _done(row: Mapping[Any, Any]) -> tuple[str, str]:
    return f"{row['n_timed']}/{row['n_planned']}", f"+{row['n_warmup']} warm" * bool(
        row["n_warmup"]
    )


def _figure(name: str, spell: Callable[[float], str]) -> Callable[..., tuple[str, str]]:
    def cell(row: Mapping[Any, Any]) -> tuple[str, str]:
        last = row[f"last_{name}"]
        return spell(row[name]), spell(last) if math.isfinite(last) else ""

    return cell


def _failed(row: Mapping[Any, Any]) -> tuple[str, str]:
    return f"{row['n_failed']:,}" if row["n_failed"] else "", ""


_COLUMNS = (
    Column(header="stack", cell=_stack, justify="left", style=_style, may_wrap=True),
    Column(
        header="path",
        cell=lambda row: (row["language"], row["reach"]),
        justify="left",
        from_width=_WIDE,
    ),
    Column(header="done", cell=_done),
    Column(header="E2E", cell=_figure("e2e_ms", spell_time), style=lambda _row: "bold"),
    Column(header="TTFT", cell=_figure("ttft_ms", spell_time)),
    Column(header="TPOT", cell=_figure("tpot_ms", spell_time)),
    Column(header="tok/s", cell=_figure("decode_tokens_per_s", spell_number), from_width=_NARROW),
    Column(header="failed", cell=_failed, style=lambda _row: "red", from_width=_NARROW),
)


def _level_done(row: Mapping[Any, Any]) -> tuple[str, str]:
    if row["requests"] is not None:
        return f"{row['n']:,}/{row['requests']:,}", ""
    return f"{row['n']:,}", f"{row['seconds']:.0f}/{row['duration_s']:.0f} s" if row["n"] else ""


_LOAD_COLUMNS = (
    Column(
        header="stack",
        cell=lambda row: (row["title"], ""),
        justify="left",
        style=_style,
        may_wrap=True,
    ),
    Column(header="load", cell=lambda row: (load_words(row), ""), justify="left"),
    Column(header="done", cell=_level_done),
    Column(header="TTFT", cell=lambda row: (spell_time(row["ttft_ms"]), "")),
    Column(header="TPOT", cell=lambda row: (spell_time(row["tpot_ms"]), ""), from_width=_NARROW),
    Column(
        header="E2E",
        cell=lambda row: (spell_time(row["e2e_ms"]), ""),
        style=lambda _row: "bold",
    ),
    Column(header="tok/s", cell=lambda row: (spell_number(row["tokens_per_s"]), "")),
    Column(header="failed", cell=_failed, style=lambda _row: "red"),
)

"""What a load says: its levels, its figure, its client's own error."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from python_runner.report.contents.background import environment_section, repeat_section
from python_runner.report.contents.batching import batching_section
from python_runner.report.contents.cells import column, figure, numbers, said
from python_runner.report.contents.fairness import fairness_section
from python_runner.report.contents.network import network_section
from python_runner.report.contents.published import published_section
from python_runner.report.contents.reported import ReportedLoad
from python_runner.report.contents.stacks import below
from python_runner.report.document import (
    Block,
    Cell,
    Column,
    Figure,
    Paragraph,
    Points,
    Section,
    Table,
    Tone,
)
from python_runner.report.load_data import load_words
from python_runner.report.load_facts import error_list
from python_runner.report.units import (
    PLUS_MINUS,
    spell_error,
    spell_number,
    spell_range,
    spell_share,
    spell_time,
)

_LATENCIES = {"ttft": "TTFT", "itl": "ITL", "tpot": "TPOT", "e2e": "E2E latency"}
_PERCENTILES = (50, 99)
_UNSURE = "~"


def load_sections(run: ReportedLoad, figures: Mapping[str, Figure]) -> Iterator[Section]:
    """All of a load, in reading order."""
    facts = run.facts
    blocks: list[Block] = [Paragraph(text=text, is_warning=True) for text in facts.warnings]
    if len(run.data.levels):
        blocks.append(_levels(run))
    blocks.append(Points(items=list(below(facts))))
    yield Section(key="figures", title="The levels", blocks=blocks)
    if run.table is not None:
        yield published_section(run.table)
    if "users" in figures:
        yield Section(key="users", title="Latency by load", blocks=[figures["users"]])
    if network := network_section(run.data.conditions):
        yield network
    if batching := batching_section(run):
        yield batching
    yield _client(run)
    if len(run.data.conditions) > 1:
        yield fairness_section(run.data.conditions)
    yield environment_section(run.data.conditions, run.run)
    yield repeat_section(run.run, run.study)


def load_answer(run: ReportedLoad) -> Iterator[str]:
    """What the levels support; a load has no tests, and so no word on who is faster."""
    measured = run.data.measured
    if measured.empty:
        yield "No level of this load has a figure, so nothing can be said."
    for _, mine in measured.groupby("condition_id", sort=False):
        yield _of_stack(mine.to_dict(orient="records"))
    if measured["condition_id"].nunique() > 1:
        yield (
            "The stacks were loaded one after the other and not in turns, so that no test can tell "
            "a small difference between them from what the machine did meanwhile."
        )
    for row in run.data.conditions.to_dict(orient="records"):
        if row["error"]:
            yield f"{row['title']} did not get through its load: {row['error']}."
    facts = run.facts
    yield from facts.warnings
    yield f"Conditions: {facts.model}; {facts.work}; {facts.course}."


def _of_stack(levels: list[dict[Any, Any]]) -> str:
    best = max(levels, key=lambda row: float(row["tokens_per_s"]))
    first, last = levels[0], levels[-1]
    most = "at most " if len(levels) > 1 else ""
    words = (
        f"{first['title']} gave {most}{spell_number(best['tokens_per_s'])} output tokens a "
        f"second, at {load_words(best)}"
    )
    waits = f"TTFT was {_wait(first)} at {load_words(first)}"
    if len(levels) > 1:
        waits += f" and {_wait(last)} at {load_words(last)}"
    return f"{words}; {waits}."


def _wait(row: Mapping[Any, Any]) -> str:
    p99 = spell_time(row["ttft_p99_ms"])
    unsure = "" if row["ttft_p99_sure"] else ", of too few requests"
    return f"{spell_time(row['ttft_p50_ms'])} (p99 {p99}{unsure})"


def _levels(run: ReportedLoad) -> Table:
    columns = [
        column("stack"),
        column("load"),
        *(
            numbers(f"{name} p{percentile}", "with ~: of too few requests to be sure of")
            for name in _LATENCIES.values()
            for percentile in _PERCENTILES
        ),
        numbers("tok/s", "output tokens a second over all users (TGR)"),
        numbers("req/s", "answers a second"),
        *([_goodput(run)] if run.data.targets_ms else []),
        numbers("n", "requests in the steady part that the figures stand on"),
        numbers("failed"),
    ]
    rows = [_level(row, run) for row in run.data.levels.to_dict(orient="records")]
    return Table(columns=columns, rows=rows, caption=_caption(run))


def _caption(run: ReportedLoad) -> str:
    due = " TTFT and E2E latency count from when a request was due." if run.data.is_open else ""
    return f"Each level of each stack, in the order of measurement.{due}"


def _goodput(run: ReportedLoad) -> Column:
    targets = ", ".join(
        f"{name.upper()} {spell_time(limit)}" for name, limit in run.data.targets_ms.items()
    )
    return numbers("goodput", f"share of requests that meet every target: {targets}")


def _level(row: Mapping[Any, Any], run: ReportedLoad) -> list[Cell]:
    errors = run.data.errors[run.data.errors["level_id"] == row["level_id"]]
    return [
        Cell(text=str(row["title"])),
        Cell(text=load_words(row), note=str(row["lack"] or row["error"] or "")),
        *(_latency(row, name, percent) for name in _LATENCIES for percent in _PERCENTILES),
        figure(row["tokens_per_s"], spell_number),
        figure(row["requests_per_s"], spell_number),
        *([figure(row["goodput_share"], spell_share)] if run.data.targets_ms else []),
        Cell(text=f"{row['n']:,} of {row['n_requests']:,}", value=float(row["n"])),
        Cell(
            text=f"{row['n_failed']:,}",
            value=float(row["n_failed"]),
            tone=Tone.BAD if row["n_failed"] else Tone.PLAIN,
            note=error_list(errors),
        ),
    ]


def _latency(row: Mapping[Any, Any], name: str, percentile: int) -> Cell:
    prefix = f"{name}_p{percentile}"
    value = float(row[f"{prefix}_ms"])
    if not row[f"{prefix}_sure"]:
        return figure(value, lambda ms: f"{_UNSURE}{spell_time(ms)}", note="too few requests")
    notes = [f"95 % interval {spell_range(row[f'{prefix}_low_ms'], row[f'{prefix}_high_ms'])}"]
    error = float(row.get(f"{prefix}_own_error_ms", math.nan))
    if math.isfinite(error):
        notes.append(f"our own clock: {PLUS_MINUS} {spell_error(error)}")
    return figure(value, spell_time, note="; ".join(notes))


def _client(run: ReportedLoad) -> Section:
    rows = [_calibrated(row) for row in run.data.levels.to_dict(orient="records")]
    clock = run.facts.clock or "The client's own error was not measured."
    blocks: list[Block] = [Paragraph(text=clock)]
    if rows:
        blocks.append(
            Table(
                columns=(
                    column("stack"),
                    column("load"),
                    numbers("TTFT off by, p50"),
                    numbers("TTFT off by, p99"),
                    numbers("gaps off by, p50"),
                    numbers("gaps off by, p99"),
                    numbers("rate given", "share of the events that were due"),
                    numbers("client's CPU", "of one core, while the level ran"),
                    column("warning"),
                ),
                rows=rows,
                caption="The client against a server whose truth is known, at as many streams",
            )
        )
    return Section(key="client", title="The client's own error", blocks=blocks)


def _calibrated(row: Mapping[Any, Any]) -> list[Cell]:
    error = row["client_error"] if isinstance(row["client_error"], Mapping) else {}
    names = ("ttft_p50_ms", "ttft_p99_ms", "itl_p50_ms", "itl_p99_ms")
    return [
        Cell(text=str(row["title"])),
        Cell(text=load_words(row)),
        *(figure(float(error.get(name, math.nan)), spell_error) for name in names),
        figure(float(error.get("rate_share", math.nan)), spell_share),
        figure(float(row["client_cpu_share"]), spell_share),
        _warning(error),
    ]


def _warning(error: Mapping[str, Any]) -> Cell:
    if not error:
        return said("", note="not measured")
    text = str(error.get("warning") or "")
    return Cell(text=text or "none", tone=Tone.BAD if text else Tone.PLAIN)

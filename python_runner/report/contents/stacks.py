"""The table of stacks, a row each, those without a result with their reason."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from python_runner.analyse.latency import NAN
from python_runner.analyse.lengths import may_end
from python_runner.report.answers import STRUCK, struck_of
from python_runner.report.contents.cells import column, figure, numbers, said
from python_runner.report.contents.reported import ReportedComparison
from python_runner.report.document import Block, Cell, Paragraph, Points, Table, Tone
from python_runner.report.facts import RunFacts, planned_iterations, shorten
from python_runner.report.paths import panels
from python_runner.report.units import (
    PLUS_MINUS,
    spell_bytes,
    spell_error,
    spell_number,
    spell_range,
    spell_ratio,
    spell_time,
)
from python_runner.report.words.pairs import outlier_words

_MS_PER_S = 1000.0
_COLUMNS = (
    column("stack", "engine and version"),
    column("language", "in which the engine's own code is written"),
    numbers("E2E latency", "from the request to the last token; median of the complete iterations"),
    column("95 % interval", "of that median; from six iterations on"),
    numbers("ratio of medians", "to the fastest of the same path"),
    numbers("TTFT", "to the first token that carries content; median"),
    numbers("TPOT", "time for each token after the first; median"),
    numbers("tok/s", "tokens a second of decoding; median"),
    numbers("memory", "most that was resident"),
    numbers("load", "from the start of the process until it was ready; median"),
    numbers("n", "complete iterations that the figures stand on"),
    column("outcome", "what failed, and why"),
)

_TOKENS = numbers("tokens", "of an answer, on average: the model may end it")


def stack_blocks(run: ReportedComparison) -> Iterator[Block]:
    """Warnings, one table for each path, and what belongs under it."""
    facts = run.facts
    yield from (Paragraph(text=text, is_warning=True) for text in facts.warnings)
    planned = planned_iterations(run.study, run.data.summary)
    counts_tokens = may_end(run.frames.samples)
    columns = (*_COLUMNS[:-2], _TOKENS, *_COLUMNS[-2:]) if counts_tokens else _COLUMNS
    for panel in panels(run.data.summary):
        rows = [_row(row, planned, counts_tokens) for row in panel.stacks.to_dict(orient="records")]
        yield Table(columns=columns, rows=rows, caption=panel.caption)
    outliers = outlier_words(run.frames.samples, run.frames.conditions)
    yield Points(items=[text for text in (*below(facts), outliers) if text])


def below(facts: RunFacts) -> Iterator[str]:
    """Conditions, and what was left out."""
    yield from (text for text in (facts.work, facts.course, facts.clock) if text)
    yield from facts.notes


def _row(row: Mapping[Any, Any], planned: int, counts_tokens: bool) -> list[Cell]:
    is_counted = not struck_of(row)
    return [
        Cell(text=f"{row['title']} {row['version']}".strip()),
        Cell(text=f"{row['language']}, {row['reach']}"),
        _e2e(row),
        said(spell_range(row["e2e_low_ms"], row["e2e_high_ms"]), note=_middle_half(row)),
        _ratio(row),
        *(
            figure(row[name] if is_counted else NAN, spell, note=note)
            for name, spell, note in (
                ("ttft_ms", spell_time, _own_error(row)),
                ("tpot_ms", spell_time, ""),
                ("decode_tokens_per_s", spell_number, ""),
            )
        ),
        figure(row["peak_memory_bytes"], spell_bytes),
        figure(row["load_seconds"] * _MS_PER_S, spell_time),
        *([figure(row["output_tokens"], spell_number)] if counts_tokens else []),
        Cell(text=_count(row), value=float(row["n"])),
        _outcome(row, planned),
    ]


def _e2e(row: Mapping[Any, Any]) -> Cell:
    if not row["n"]:
        return Cell(text="no result", tone=Tone.BAD)
    if struck_of(row):
        text = f"{spell_time(row['e2e_ms'])}, {STRUCK}"
        return Cell(text=text, tone=Tone.BAD, value=float(row["e2e_ms"]))
    return figure(row["e2e_ms"], spell_time)


def _middle_half(row: Mapping[Any, Any]) -> str:
    half = spell_range(row["e2e_p25_ms"], row["e2e_p75_ms"])
    if not row["n"]:
        return ""
    few = "" if math.isfinite(row["e2e_low_ms"]) else "too few iterations for an interval; "
    return f"{few}middle half of the iterations: {half}"


def _ratio(row: Mapping[Any, Any]) -> Cell:
    if row["ratio_to_fastest"] == 1:
        return Cell(text="fastest", value=1.0, note="of its path, by the median")
    return figure(row["ratio_to_fastest"], spell_ratio)


def _own_error(row: Mapping[Any, Any]) -> str:
    error = row["ttft_own_error_ms"]
    return f"our own clock: {PLUS_MINUS} {spell_error(error)}" if math.isfinite(error) else ""


def _count(row: Mapping[Any, Any]) -> str:
    return str(row["n"]) if row["n"] == row["n_timed"] else f"{row['n']} of {row['n_timed']}"


def _outcome(row: Mapping[Any, Any], planned: int) -> Cell:
    parts = []
    if struck_of(row):
        parts.append(f"answers are wrong: {struck_of(row)}")
    if row["error"]:
        parts.append(shorten(row["error"]))
    if row["n_failed"]:
        parts.append(f"{row['n_failed']} failed")
    if row["n_early_stops"]:
        parts.append(f"{row['n_early_stops']} ended early")
    if row["n_timed"] < planned:
        parts.append(f"ended after {row['n_timed']} of {planned} iterations")
    return Cell(text="; ".join(parts), tone=Tone.BAD) if parts else Cell(text="complete")

"""How a run shows itself in a notebook."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from python_runner.analyse.compare import Verdict, pairs_of_run
from python_runner.analyse.summary import summarise
from python_runner.engines.contract import Language
from python_runner.notebook.html import Cell, Heading, heading, lines, table, warnings, whole
from python_runner.report.answers import STRUCK, struck_of
from python_runner.report.facts import RunFacts
from python_runner.report.load_data import LoadData, load_words
from python_runner.report.palette import LANGUAGES
from python_runner.report.units import (
    TO,
    spell_number,
    spell_range,
    spell_ratio,
    spell_time,
)
from python_runner.report.words.pairs import floor_words, spell_p, spell_ratios, verdict_words

_MOST_PAIRS = 6
"""All pairs of four stacks; of more, each stands beside the fastest only."""
_CLEAR = (Verdict.FASTER.value, Verdict.SLOWER.value)
_STACKS = (
    Heading(text="stack"),
    Heading(text="language, path"),
    Heading(text="E2E latency", is_number=True),
    Heading(text="ratio", is_number=True),
    Heading(text="TTFT", is_number=True),
    Heading(text="TPOT", is_number=True),
    Heading(text="tok/s", is_number=True),
    Heading(text="n", is_number=True),
)
_PAIRS = (
    Heading(text="pair"),
    Heading(text="ratio", is_number=True),
    Heading(text="p", is_number=True),
    Heading(text="what may be said"),
)
_LEVELS = (
    Heading(text="stack"),
    Heading(text="load"),
    Heading(text="TTFT", is_number=True),
    Heading(text="ITL", is_number=True),
    Heading(text="E2E latency", is_number=True),
    Heading(text="tok/s (TGR)", is_number=True),
    Heading(text="n", is_number=True),
    Heading(text="failed", is_number=True),
)
_HOW = (
    f"E2E latency: median of the n complete iterations, below it the middle half (p25{TO}p75). "
    "TTFT, TPOT, tok/s: medians. Ratio: to the fastest of the same path."
)
_HOW_LOAD = "TTFT, ITL, E2E latency: p50, below it p99, of the n requests of the steady part."


def shown_run(
    samples: pd.DataFrame, conditions: pd.DataFrame, runs: pd.DataFrame, facts: RunFacts
) -> str:
    """Of a comparison: marks, medians, what may be said of each pair, conditions."""
    summary = summarise(samples, conditions)
    rows = [_stack(row) for row in summary.to_dict(orient="records")]
    pairs = pairs_of_run(samples, conditions, runs)
    return whole(
        heading(f"Run {facts.run_id}: {facts.model}"),
        warnings(facts.warnings),
        table(_STACKS, rows),
        lines([_HOW]),
        _pairs(pairs),
        lines([facts.work, facts.course, facts.clock, facts.answers, *facts.notes]),
    )


def shown_load(data: LoadData, facts: RunFacts) -> str:
    """Of a load: marks, percentiles of each level, conditions."""
    rows = [_level(row) for row in data.levels.to_dict(orient="records")]
    return whole(
        heading(f"Run {facts.run_id}: {facts.model}"),
        warnings(facts.warnings),
        table(_LEVELS, rows),
        lines([_HOW_LOAD]),
        lines([facts.work, facts.course, facts.clock, *facts.notes]),
    )


def _stack(row: Mapping[Any, Any]) -> list[Cell]:
    is_struck, has_result = bool(struck_of(row)), bool(row["n"])
    counted = has_result and not is_struck
    e2e = spell_time(row["e2e_ms"]) if has_result else "no result"
    middle = spell_range(row["e2e_p25_ms"], row["e2e_p75_ms"]) if has_result else ""
    ratio = row["ratio_to_fastest"]
    figures = [
        "fastest" if ratio == 1 else spell_ratio(ratio),
        spell_time(row["ttft_ms"]),
        spell_time(row["tpot_ms"]),
        spell_number(row["decode_tokens_per_s"]),
    ]
    return [
        Cell(text=row["title"], below=row["version"], is_strong=True),
        Cell(text=row["language"], below=row["reach"], color=_color(row)),
        Cell(
            text=e2e,
            below=STRUCK if is_struck else middle,
            is_strong=counted,
            is_struck=is_struck,
        ),
        *(Cell(text="" if is_struck else text) for text in figures),
        Cell(text=str(row["n"]), below=f"of {row['n_timed']}" if row["n_timed"] > row["n"] else ""),
    ]


def _pairs(pairs: pd.DataFrame) -> str:
    if pairs.empty:
        return ""
    shown = pairs
    if len(pairs) > _MOST_PAIRS:
        shown = pairs[pairs["condition_id_right"] == pairs["condition_id_right"].iloc[0]]
    rows = [
        [
            Cell(text=f"{row['title_left']} over {row['title_right']}"),
            Cell(
                text=spell_ratio(row["ratio"]),
                below=spell_ratios(row["ratio_low"], row["ratio_high"]),
            ),
            Cell(text=spell_p(row["p_holm"])),
            Cell(text=verdict_words(row), below=row["reason"], is_strong=row["verdict"] in _CLEAR),
        ]
        for row in shown.to_dict(orient="records")
    ]
    corrected = f", corrected for {len(pairs)} pairs (Holm)" if len(pairs) > 1 else ""
    how = f"Ratio of E2E latency, below it its interval. p: permutation test{corrected}."
    left_out = f' All {len(pairs)} pairs: table("pairs").' if len(shown) < len(pairs) else ""
    return table(_PAIRS, rows) + lines([f"{how}{left_out} {floor_words(pairs)}"])


def _level(row: Mapping[Any, Any]) -> list[Cell]:
    def latency(figure: str) -> Cell:
        return Cell(
            text=spell_time(row[f"{figure}_p50_ms"]), below=spell_time(row[f"{figure}_p99_ms"])
        )

    return [
        Cell(text=row["title"], below=row["language"], color=_color(row), is_strong=True),
        Cell(text=load_words(row), below=row["lack"]),
        *(latency(figure) for figure in ("ttft", "itl", "e2e")),
        Cell(text=spell_number(row["tokens_per_s"])),
        Cell(text=str(row["n"]), below=f"of {row['n_requests']}"),
        Cell(text=str(row["n_failed"])),
    ]


def _color(row: Mapping[Any, Any]) -> str:
    return LANGUAGES[Language(row["language"])].color

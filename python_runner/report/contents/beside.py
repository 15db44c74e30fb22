"""Stacks beside each other: pairs with verdicts, the price of serving, stacks on ggml."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from python_runner.analyse.compare import Verdict
from python_runner.analyse.ggml import BASE, compare_on_ggml, on_ggml
from python_runner.report.contents.cells import column, figure, numbers, said
from python_runner.report.contents.reported import ReportedComparison
from python_runner.report.document import Block, Cell, Paragraph, Points, Section, Table, Tone
from python_runner.report.units import TO, spell_number, spell_percent, spell_ratio
from python_runner.report.words.ggml import (
    GGML_HEADINGS,
    GGML_LEGEND,
    METRIC_NAMES,
    bound_in_words,
)
from python_runner.report.words.ggml import one_row_each as one_row_for_metrics
from python_runner.report.words.pairs import (
    CLEAR,
    floor_words,
    how_tested,
    spell_p,
    spell_ratios,
    verdict_words,
)
from python_runner.report.words.serving import SERVING_LEGEND, one_row_each

_METRICS = {"e2e_ms": "E2E latency", "ttft_ms": "TTFT", "tpot_ms": "TPOT"}
_PAIR_COLUMNS = (
    column("pair", "the one with the larger median over the other"),
    numbers("ratio", "of the two: geometric means, block by block"),
    column("interval", "of that ratio"),
    numbers("p", "permutation test, corrected for all pairs of the table (Holm)"),
    column("verdict"),
    column("why"),
    numbers("noise floor", "what the machine alone can make of it"),
)


def pair_section(run: ReportedComparison) -> Section:
    """Every pair, by each of the three latencies."""
    blocks: list[Block] = []
    for metric, pairs in run.pairs.items():
        if pairs.empty:
            continue
        rows = [_pair(row) for row in pairs.to_dict(orient="records")]
        blocks.append(Table(columns=_PAIR_COLUMNS, rows=rows, caption=_METRICS[metric]))
        blocks.append(Paragraph(text=f"{floor_words(pairs)} {' '.join(how_tested(pairs))}"))
    if not blocks:
        blocks.append(Paragraph(text="There are no two stacks that could be compared."))
    return Section(key="pairs", title="What may be said of each pair", blocks=blocks)


def verdict_tone(verdict: str) -> Tone:
    """Plain for what is known, whichever way it went."""
    return Tone.UNKNOWN if verdict == Verdict.NOT_KNOWN.value else Tone.PLAIN


def _pair(row: Mapping[Any, Any]) -> list[Cell]:
    verdict = str(row["verdict"])
    return [
        Cell(text=f"{row['title_left']} over {row['title_right']}"),
        figure(row["ratio"], spell_ratio, note=f"{row['blocks']} blocks"),
        said(spell_ratios(row["ratio_low"], row["ratio_high"])),
        figure(row["p_holm"], spell_p),
        Cell(text=verdict_words(row), tone=verdict_tone(verdict), note=_effect(row)),
        Cell(text=str(row["reason"])),
        figure(row["noise_floor"], spell_percent, note=str(row["floor_source"])),
    ]


def _effect(row: Mapping[Any, Any]) -> str:
    if row["verdict"] not in CLEAR or not math.isfinite(row["cliffs_delta"]):
        return ""
    return f"effect size {row['effect_size']} (Cliff's delta {row['cliffs_delta']:.2f})"


def serving_section(run: ReportedComparison) -> Section | None:
    """The price of serving; None without an engine in both ways."""
    if run.prices.empty:
        return None
    rows = [
        [
            Cell(text=f"{row['title_left']} over {row['title_right']}"),
            *(_ratio(row, f"{name}_ratio") for name in ("e2e", "ttft", "tpot")),
            Cell(
                text=str(row["e2e_verdict"]),
                tone=verdict_tone(str(row["e2e_verdict"])),
                note=str(row["e2e_reason"]),
            ),
        ]
        for row in one_row_each(run.prices).to_dict(orient="records")
    ]
    columns = (
        column("served over embedded", "the same engine over HTTP and in process"),
        *(numbers(name, "ratio and its interval") for name in _METRICS.values()),
        column("served is", "by E2E latency"),
    )
    return Section(
        key="serving",
        title="The price of serving",
        blocks=[Table(columns=columns, rows=rows), Paragraph(text=SERVING_LEGEND)],
    )


def _ratio(row: Mapping[Any, Any], name: str, suffix: str = "") -> Cell:
    value = float(row[f"{name}{suffix}"])
    low, high = float(row[f"{name}_low{suffix}"]), float(row[f"{name}_high{suffix}"])
    interval = f" ({spell_number(low)}{TO}{spell_number(high)})" if math.isfinite(low) else ""
    return figure(value, lambda ratio: f"{spell_ratio(ratio)}{interval}")


def ggml_section(run: ReportedComparison) -> Section | None:
    """Stacks on one library of kernels; None for fewer than two of them."""
    chosen = on_ggml(run.frames.conditions)
    if "struck" in chosen:
        chosen = chosen[chosen["struck"] == ""]
    if len(chosen) < 2:
        return None
    samples = run.frames.samples
    own = samples[samples["condition_id"].isin(chosen["condition_id"])]
    against, steps = compare_on_ggml(own, chosen)
    blocks = [*_against(against), *_steps(steps)]
    if not blocks:
        return None
    return Section(
        key="ggml",
        title="The stacks on ggml",
        blocks=[
            Paragraph(
                text="These stacks call one library of kernels, from different languages: the "
                "nearest thing to an experiment on the language. `polystack compare ggml` holds "
                "all of them together."
            ),
            *blocks,
            Paragraph(text=GGML_LEGEND),
        ],
    )


def _against(against: pd.DataFrame) -> Iterator[Block]:
    for reach, text in GGML_HEADINGS.items():
        rows = against[against["reach"] == reach.value]
        if len(rows):
            yield _metrics_table(rows, "title_left", text, f"over {BASE}")


def _steps(steps: pd.DataFrame) -> Iterator[Block]:
    if steps.empty:
        return
    yield _metrics_table(steps, "what", "What each difference is worth", "what differs")
    wide = one_row_for_metrics(steps, "what").to_dict(orient="records")
    yield Points(items=[f"{row['what']}: {bound_in_words(row)}" for row in wide])


def _metrics_table(rows: pd.DataFrame, name: str, caption: str, first: str) -> Table:
    wide = one_row_for_metrics(rows, name).to_dict(orient="records")
    return Table(
        columns=(
            column(first),
            *(numbers(title, "ratio and its interval") for title in METRIC_NAMES.values()),
            column("verdict", "on E2E latency"),
        ),
        rows=[
            [
                Cell(text=str(row["name"])),
                *(_ratio(row, "ratio", f"_{metric}") for metric in METRIC_NAMES),
                Cell(text=str(row["verdict_e2e_ms"]), tone=verdict_tone(row["verdict_e2e_ms"])),
            ]
            for row in wide
        ],
        caption=caption,
    )

"""Everything about one load: table, conditions, and each level's figures with intervals."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from python_runner.report.load_data import LoadData, load_words
from python_runner.report.load_facts import error_list
from python_runner.report.terminal.detail import pairs, title
from python_runner.report.terminal.fairness import fairness_section
from python_runner.report.terminal.layout import Column, FittingTable
from python_runner.report.terminal.load import UNSURE, Cell, load_report
from python_runner.report.units import (
    MISSING,
    TO,
    spell_error,
    spell_number,
    spell_range,
    spell_share,
    spell_sure_time,
    spell_time,
)
from python_runner.report.words.conditions import condition_pairs, stack_pairs

_FIGURES = {
    "ttft": "TTFT",
    "naive_ttft": "TTFT from sending",
    "itl": "ITL",
    "tpot": "TPOT",
    "e2e": "E2E latency",
    "lateness": "client's lateness",
}
_ONLY_OPEN = ("naive_ttft", "lateness")


def load_detail(data: LoadData) -> RenderableType:
    """The report of one run, its conditions, and for each level every percentile."""
    return Group(
        load_report(data),
        title("Conditions"),
        pairs(condition_pairs(data.conditions, data.run)),
        *fairness_section(data.conditions),
        *_stacks(data),
    )


def _stacks(data: LoadData) -> Iterator[RenderableType]:
    for row in data.conditions.to_dict(orient="records"):
        version = row["version"] or "(never started)"
        yield title(f"{row['title']} {version}, {row['language']}, {row['reach']}")
        yield pairs(stack_pairs(row))
        mine = data.levels[data.levels["condition_id"] == row["condition_id"]]
        for level in mine.to_dict(orient="records"):
            errors = data.errors[data.errors["level_id"] == level["level_id"]]
            yield Padding(Text(load_words(level), style="bold"), (1, 0, 0, 2))
            yield pairs(_level_pairs(level, errors))
            yield Padding(
                FittingTable(columns=_COLUMNS, rows=_rows(level, is_open=data.is_open)),
                (0, 0, 0, 1),
            )


def _level_pairs(level: Mapping[Any, Any], errors: pd.DataFrame) -> dict[str, str]:
    return {
        "requests": _requests(level),
        "steady part": _window(level),
        "throughput": f"{spell_number(level['tokens_per_s'])} output tokens/s, "
        f"{spell_number(level['requests_per_s'])} answers/s",
        "goodput": _goodput(level),
        "errors": error_list(errors),
        "ended": str(level["error"]),
        "gaps": _gaps(level),
        "open requests": _open_requests(level),
        "decode time": _decode(level),
        "client": _client(level),
    }


def _requests(level: Mapping[Any, Any]) -> str:
    parts = {
        "warm-up": level["n_warmup"],
        "failed": level["n_failed"],
        "ended by the model": level["n_early_stops"],
        "cut off": level["n_cut_off"],
    }
    told = "".join(f", {count:,} {name}" for name, count in parts.items() if count)
    return f"{level['n_requests']:,} sent{told}"


def _window(level: Mapping[Any, Any]) -> str:
    if level["lack"]:
        return f"none: {level['lack']}"
    share = spell_share(level["inside_share"])
    return (
        f"{level['window_start_s']:.1f}{TO}{level['window_end_s']:.1f} s, "
        f"{level['n_inside']:,} requests ({share})"
    )


def _goodput(level: Mapping[Any, Any]) -> str:
    if not math.isfinite(level["goodput_share"]):
        return ""
    return f"{spell_share(level['goodput_share'])}, {spell_number(level['goodput_per_s'])} req/s"


def _gaps(level: Mapping[Any, Any]) -> str:
    if not level["itl_n"]:
        return ""
    size = f"{level['tokens_per_chunk']:.3g} tokens a chunk"
    return (
        f"{level['itl_n']:,} known, {spell_share(level['unknown_gap_share'])} of chunks without "
        f"one, {size}"
    )


def _open_requests(level: Mapping[Any, Any]) -> str:
    if level["lack"]:
        return ""
    ends = f"{level['backlog_start']} at the start of the steady part, {level['backlog_end']}"
    return f"{ends} at its end"


def _decode(level: Mapping[Any, Any]) -> str:
    if not level["n_engine_times"]:
        return ""
    difference = level["decode_difference_ms"]
    sign = "more" if difference >= 0 else "less"
    return (
        f"{spell_time(level['decode_ms'])} by our clock, {spell_time(level['engine_decode_ms'])} "
        f"by the engine's, {spell_time(abs(difference))} {sign} (medians of "
        f"{level['n_engine_times']:,} answers)"
    )


def _client(level: Mapping[Any, Any]) -> str:
    share = level["client_cpu_share"]
    used = f"{spell_share(share)} of a core" if math.isfinite(share) else ""
    error = level["client_error"]
    if not isinstance(error, Mapping):
        return "; ".join(part for part in (used, "its error was not measured") if part)
    return (
        f"{used}; at {error['streams']} streams and {error['events']:,} events it gave "
        f"{spell_share(error['rate_share'])} of the rate, TTFT off by "
        f"{spell_error(error['ttft_p50_ms'])} (p99 {spell_error(error['ttft_p99_ms'])}), gaps by "
        f"{spell_error(error['itl_p50_ms'])} (p99 {spell_error(error['itl_p99_ms'])})"
    )


def _rows(level: Mapping[Any, Any], *, is_open: bool) -> pd.DataFrame:
    names = [name for name in _FIGURES if is_open or name not in _ONLY_OPEN]
    return pd.DataFrame([{"figure": name, **level} for name in names])


def _cell(percentile: int) -> Cell:
    def cell(row: Mapping[Any, Any]) -> tuple[str, str]:
        name = f"{row['figure']}_p{percentile}"
        value = row[f"{name}_ms"]
        if not math.isfinite(value):
            return MISSING, ""
        if not row[f"{name}_sure"]:
            return UNSURE + spell_time(value), "too few"
        shown = spell_sure_time(value, row.get(f"{name}_own_error_ms", float("nan")))
        return shown, spell_range(row[f"{name}_low_ms"], row[f"{name}_high_ms"])

    return cell


_COLUMNS = (
    Column(
        header="figure",
        cell=lambda row: (_FIGURES[row["figure"]], "95% interval"),
        justify="left",
    ),
    *(Column(header=f"p{percentile}", cell=_cell(percentile)) for percentile in (50, 90, 99)),
)

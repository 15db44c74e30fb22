"""The table of upkeep in a terminal."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping

import pandas as pd
import pytest
from rich.console import Console

from python_runner.analyse.upkeep import COLUMNS
from python_runner.report.terminal.upkeep import spell_figure, upkeep_report


def table(figures: Mapping[str, float]) -> pd.DataFrame:
    rows = [
        {
            "stack": "go-driver",
            "title": "Go driver",
            "language": "Go",
            "reach": "embedded",
            "figure": figure,
            "value": value,
            "unit": "",
            "low": math.nan,
            "high": math.nan,
            "source": "" if math.isnan(value) else "a file",
            "run_id": math.nan,
            "why_unknown": "nobody looked" if math.isnan(value) else "",
        }
        for figure, value in figures.items()
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def printed(frame: pd.DataFrame, *, width: int = 120, with_sources: bool = False) -> str:
    console = Console(width=width, file=io.StringIO(), legacy_windows=False)
    with console.capture() as capture:
        console.print(upkeep_report(frame, with_sources=with_sources))
    return capture.get()


@pytest.mark.parametrize(
    ("figure", "value", "text"),
    [
        ("cold_start_s", 2.5, "2.50 s"),
        ("recovery_s", 0.25, "250 ms"),
        ("deployed_bytes", 11_481_608, "11.5 MB"),
        ("dependencies", 538, "538"),
        ("own_lines", 1440, "1,440"),
        ("tgr_tokens_per_s@10", 123.4, "123 tokens/s"),
        ("ttft_p95_ms@10", 1500, "1.50 s"),
        ("energy_j_per_token", 1.5, "1.50 J"),
        ("build_s", 0.0, "0"),
        ("build_s", math.nan, "?"),
    ],
)
def test_figures_have_their_units(figure: str, value: float, text: str) -> None:
    assert spell_figure(figure, value) == text


def test_what_is_not_known_is_a_question_mark_and_never_zero() -> None:
    text = printed(table({"cold_start_s": math.nan, "dependencies": 7.0}))
    assert "1 of 2" in text
    assert "?" in text
    assert " 0 " not in text


def test_a_range_stands_below_its_figure() -> None:
    frame = table({"recovery_s": 3.0}).assign(low=2.0, high=4.0)
    assert "2.00\N{EN DASH}4.00" in printed(frame)


def test_levels_of_users_have_a_table_of_their_own() -> None:
    figures = {"tgr_tokens_per_s@10": 80.0, "ttft_p95_ms@10": 200.0, "tgr_tokens_per_s@50": 90.0}
    text = printed(table(figures))
    assert "10 users" in text
    assert "50 users" in text
    assert "80.0 tokens/s" in text
    assert "TTFT p95 200 ms" in text
    assert "TTFT p95 ?" in text


def test_sources_and_reasons_can_be_asked_for() -> None:
    text = printed(table({"build_s": math.nan, "dependencies": 7.0}), with_sources=True)
    assert "nobody looked" in text
    assert "a file" in text


def test_no_stack_is_said() -> None:
    assert "No stacks" in printed(table({}))

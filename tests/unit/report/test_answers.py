"""A stack whose answers are wrong has no speed anywhere."""

from __future__ import annotations

import pandas as pd
import pytest
from rich.console import Console

from python_runner.analyse.fast import fast_stacks
from python_runner.analyse.overview import runs_overview
from python_runner.analyse.summary import summarise
from python_runner.report.charts.data import chart_data
from python_runner.report.charts.draw import chart_style
from python_runner.report.charts.table import CHARTS
from python_runner.report.terminal import summary_report
from tests.golden.frames import Frames, build_frames

REASON = "9 of 80 tokens are not what the model says"


@pytest.fixture
def frames() -> Frames:
    """Four stacks, of which the fastest is struck out."""
    made = build_frames()
    fastest = summarise(made.samples, made.conditions)["stack"].iloc[0]
    is_fastest = made.conditions["stack"] == fastest
    struck = pd.Series([REASON if one else "" for one in is_fastest], dtype=object)
    return made._replace(conditions=made.conditions.assign(struck=struck, answers=None))


def test_it_is_the_last_and_not_the_fastest(frames: Frames) -> None:
    summary = summarise(frames.samples, frames.conditions)
    assert list(summary["struck"]) == ["", "", "", REASON]
    assert summary["ratio_to_fastest"].iloc[0] == 1
    assert summary["ratio_to_fastest"].isna().iloc[3]
    assert summary["e2e_ms"].iloc[3] < summary["e2e_ms"].iloc[0]


def test_it_is_not_among_the_fast_ones(frames: Frames) -> None:
    split = fast_stacks(summarise(frames.samples, frames.conditions))
    assert REASON not in set(split.shown["struck"])
    assert REASON in set(split.left_out["struck"])


def test_the_list_of_runs_names_another(frames: Frames) -> None:
    summary = summarise(frames.samples, frames.conditions)
    (row,) = runs_overview(*frames).to_dict(orient="records")
    assert row["fastest"] == summary["title"].iloc[0]


def test_the_table_says_why_and_gives_it_no_rate(frames: Frames) -> None:
    console = Console(width=120, record=True)
    with console.capture() as captured:
        console.print(summary_report(*frames))
    text = captured.get()
    assert "struck out" in text
    assert f"because its answers are wrong: {REASON}." in " ".join(text.split())


def test_pictures_show_it_struck_out_with_the_reason(frames: Frames) -> None:
    data = chart_data(*frames)
    assert any(REASON in note for note in data.facts.notes)
    with chart_style():
        for chart in CHARTS:
            figure = chart.draw(data)
            axes = [text.get_text() for one in figure.axes for text in one.texts]
            words = " ".join([*axes, *(text.get_text() for text in figure.texts)])
            assert "struck out" in words, chart.name

"""Verdicts on claims as people read them: in a terminal, a README, and a picture."""

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from python_runner.report.charts.claims import MOST_COLUMNS, claims_figure, draw_claims
from python_runner.report.charts.draw import chart_style
from python_runner.report.claims import ClaimsData, claims_data
from python_runner.report.claims_text import claims_markdown
from python_runner.report.terminal.claims import claims_report
from python_runner.study import load_claims
from tests.golden.frames import LLAMA_CPP, OLLAMA, TRANSFORMERS, FakeStack, build_frames, rename
from tests.unit.analyse.claims.judged import GO_OFF, RUST, SERVER, judge, run_of
from tests.unit.report.charts.drawn import assert_everything_has_its_place, texts, words

LONG = rename(
    OLLAMA, title="Ollama, with its engine in Go, GOGC off, one thread, baseline flags | <b>"
)
RUNS: tuple[tuple[FakeStack, ...], ...] = (
    (SERVER, OLLAMA, GO_OFF, RUST, TRANSFORMERS),
    (LLAMA_CPP, LONG, rename(RUST, error="killed", samples_kept=0)),
    (LLAMA_CPP,),
    (SERVER, OLLAMA, TRANSFORMERS),
)


def data(*numbers: int) -> ClaimsData:
    claims = load_claims("languages")
    runs = []
    for number in numbers:
        run = run_of(*RUNS[number], run_id=number + 1)
        frames = build_frames(RUNS[number], run_id=number + 1)
        runs.append((judge(run), run.samples, run.conditions, frames.runs, "polystack compare x"))
    return claims_data(claims, runs, "These runs differ in: processor." if numbers[1:] else "")


def printed(found: ClaimsData, width: int) -> str:
    out = StringIO()
    Console(file=out, width=width).print(claims_report(found))
    return out.getvalue()


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("numbers", [(0,), (0, 1, 3)])
def test_the_terminal_shows_every_verdict_at_any_width(
    numbers: tuple[int, ...], width: int
) -> None:
    out = printed(data(*numbers), width)
    assert max(map(len, out.splitlines())) <= width
    said = " ".join(out.split())
    assert "inconclusive" in said
    assert "refuted" in said
    assert "random weights" in said.lower()
    assert "polystack compare x" in said


def test_marks_stand_once_for_all_that_they_hold_for() -> None:
    marks = data(0, 3).marks
    assert len(marks) == len(set(marks))
    assert any(mark.startswith("Runs 1, 4, claims 1a") and "stand-in" in mark for mark in marks)


def test_markdown_has_a_cell_for_each_run_and_escapes_what_is_not_ours() -> None:
    lines = claims_markdown(data(1, 0)).splitlines()
    table = [line for line in lines if line.startswith("|")]
    assert len(table) == 2 + 5 + 2 + 3 + 2
    for line in table:
        assert line.replace("\\|", "").count("|") == 4
    assert "<b>" not in "\n".join(lines).replace("\\<b>", "")


@pytest.mark.parametrize("numbers", [(0,), (1,), (0, 1, 3), (0, 1, 2, 3)])
def test_everything_in_the_picture_has_its_place(numbers: tuple[int, ...]) -> None:
    with chart_style():
        figure = claims_figure(data(*numbers))
        figure.draw_without_rendering()
    assert_everything_has_its_place(figure)
    assert min(float(text.get_fontsize()) for text in texts(figure)) >= 9.0


def test_the_picture_says_in_words_what_its_colours_say() -> None:
    with chart_style():
        figure = claims_figure(data(0, 3))
        figure.draw_without_rendering()
    said = words(figure)
    assert "refuted" in said
    assert "inconclusive" in said
    assert "These runs differ in: processor." in said


def test_too_many_runs_for_a_picture(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=str(MOST_COLUMNS)):
        draw_claims(data(*[2] * (MOST_COLUMNS + 1)), tmp_path / "x")

"""A run that is going on: what is shown of it, in wide and in narrow terminals."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console, RenderableType

from python_runner.report.live_data import LiveClock
from python_runner.report.terminal import live
from python_runner.report.terminal.live import LiveView, clock_words, news_of
from python_runner.run.watch import Watch
from python_runner.store import Store
from tests.golden.compare import assert_golden, rendered
from tests.golden.frames import LLAMA_CPP, OLLAMA, rename
from tests.golden.loads import LLAMA, closed_levels, record_load
from tests.unit.live_builders import Clock, four_in_the_middle, shown, so_far

CLOCK = LiveClock(gone_s=65.0, left_s=140.0)


def comparison() -> LiveView:
    return LiveView(shown(four_in_the_middle()), lambda: CLOCK)


def load(folder: Path, users: Sequence[int] = (1, 4)) -> LiveView:
    path = folder / "polystack.sqlite"
    with Store(path) as store:
        run_id = record_load(store, [LLAMA], closed_levels(list(users)))
        with Watch(path, run_id) as watch:
            return LiveView(watch.look(), lambda: CLOCK)


@pytest.mark.parametrize("width", [100, 80])
def test_golden(width: int) -> None:
    assert_golden(f"live-{width}.txt", rendered(comparison(), width))


@pytest.mark.parametrize("width", [100, 80])
def test_golden_load(tmp_path: Path, clock: Clock, width: int) -> None:
    assert_golden(f"live-load-{width}.txt", rendered(load(tmp_path), width))


@pytest.mark.parametrize("width", [60, 80, 200])
def test_it_fits_every_terminal(tmp_path: Path, clock: Clock, width: int) -> None:
    for view in (comparison(), load(tmp_path)):
        assert max(cell_len(line) for line in rendered(view, width).splitlines()) <= width


def test_before_the_first_stack_is_ready() -> None:
    run = shown(so_far([(LLAMA_CPP, 0), (OLLAMA, 0)], begun=1, ended=0))
    said = rendered(LiveView(run, lambda: LiveClock(gone_s=3.0, left_s=None)), 80)
    assert "block 1 of 5, llama.cpp: loading the model" in said
    assert "time left: known when the first visit is over" in said


def test_between_two_visits_nothing_is_promised_of_builds() -> None:
    run = shown(so_far([(rename(LLAMA_CPP, samples_kept=4), 1)], begun=1, ended=1))
    words = clock_words(run, LiveClock(gone_s=9.0, left_s=60.0, between=True))
    assert words == "9 s gone, about 60 s left, after what is done now"
    assert "no request is under way" in run.now


def test_an_interval_that_is_waited_for_is_told() -> None:
    study = '{"name": "x", "until_ci": "2%", "max_iterations": 40}'
    run = shown(so_far([(LLAMA_CPP, 1)], begun=1, ended=0, study_json=study))
    assert "then on until every interval is within ±2%, or 40 iterations" in clock_words(run, CLOCK)


def test_a_failure_is_told_with_its_reason() -> None:
    run = shown(
        so_far([(rename(OLLAMA, samples_kept=3, failures={1: "it broke"}), 1)], begun=1, ended=0)
    )
    assert news_of(run) == "block 1, Ollama, iteration 1 failed: it broke"
    assert run.notes == ("Ollama: 1 of 1 requests failed, the last: it broke",)


def test_news_of_a_load(tmp_path: Path, clock: Clock) -> None:
    said = news_of(load(tmp_path).run)
    assert "4 users: 80 requests over, TTFT" in said


def test_what_is_laid_out_is_kept_until_there_is_news(monkeypatch: pytest.MonkeyPatch) -> None:
    count = 0
    original: Any = live._body

    def counted(*arguments: object) -> Sequence[RenderableType]:
        nonlocal count
        count += 1
        return list(original(*arguments))

    monkeypatch.setattr(live, "_body", counted)
    console = Console(width=80, force_terminal=True)
    view = comparison()
    with console.capture():
        console.print(view)
        console.print(view)
        assert count == 1
        view.run = shown(four_in_the_middle())
        console.print(view)
    assert count == 2

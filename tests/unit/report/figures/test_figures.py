"""What the interactive figures show, read from their plain data."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest

from python_runner.report.charts.data import ChartData, chart_data
from python_runner.report.document import Figure
from python_runner.report.figures import comparison_figures, load_figures
from python_runner.report.figures.distributions import MOST_DOTS
from python_runner.report.load_data import load_data
from python_runner.report.palette import LANGUAGES, QUIET, dark_twins
from tests.cells import cell
from tests.golden.cases import CASES
from tests.golden.frames import (
    FOUR,
    LLAMA_CPP,
    OLLAMA,
    TRANSFORMERS,
    Frames,
    build_frames,
    rename,
)
from tests.golden.loads import LOADS

REASON = "2 of 16 tokens are not what the reference answers"
ALL = [
    "baseline",
    "baseline-zoomed",
    "iterations",
    "iterations-zoomed",
    "distributions",
    "tokens",
    "stages",
]


def data_of(frames: Frames) -> ChartData:
    return chart_data(*frames)


def figures_of(frames: Frames) -> dict[str, Figure]:
    return dict(comparison_figures(data_of(frames)))


def every_figure() -> Iterator[tuple[str, Figure]]:
    for name, make in CASES.items():
        yield from ((name, figure) for figure in figures_of(make()).values())
    for name, load in LOADS.items():
        yield from ((name, figure) for figure in load_figures(load_data(load())).values())


@pytest.fixture(scope="module")
def made() -> list[tuple[str, Figure]]:
    return list(every_figure())


@pytest.fixture(scope="module")
def four() -> dict[str, Figure]:
    return figures_of(CASES["four"]())


def traces(figure: Figure, stack: str | None = None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = figure.plot["data"]
    return [one for one in found if stack is None or one.get("legendgroup") == stack]


def hovers(figure: Figure, stack: str | None = None) -> list[str]:
    return [text for one in traces(figure, stack) for text in one.get("hovertext") or []]


def struck_frames() -> Frames:
    frames = build_frames(FOUR)
    is_struck = frames.conditions["stack"] == "transformers"
    struck = pd.Series(np.where(is_struck, REASON, ""), index=frames.conditions.index)
    return frames._replace(conditions=frames.conditions.assign(struck=struck))


def test_a_run_has_all_figures_in_reading_order(four: dict[str, Figure]) -> None:
    assert list(four) == ALL


def test_every_figure_is_plain_json_with_words_and_numbers(made: list[tuple[str, Figure]]) -> None:
    for name, figure in made:
        json.dumps(figure.plot, allow_nan=False)
        assert set(figure.plot) == {"data", "layout"}, name
        assert figure.alt.endswith("."), name
        assert re.fullmatch(r"[a-z0-9-]+", figure.key), name
        assert figure.table is not None
        assert figure.table.rows, name
        assert {len(row) for row in figure.table.rows} == {len(figure.table.columns)}, name


def test_axes_name_their_units(made: list[tuple[str, Figure]]) -> None:
    for name, figure in made:
        layout = figure.plot["layout"]
        titles = [axis["title"]["text"] for axis in layout.values() if has_title(axis)]
        units = [text for text in titles if re.search(r"\((ms|s)\)|/s", text)]
        assert units, (name, figure.key)


def has_title(axis: object) -> bool:
    return isinstance(axis, dict) and isinstance(axis.get("title"), dict)


def test_captions_carry_the_conditions(four: dict[str, Figure]) -> None:
    for figure in four.values():
        for part in ("random weights", "bf16", "2 threads", "10 timed iterations", "run 7"):
            assert part in figure.caption


def test_every_trace_of_a_stack_can_be_switched(made: list[tuple[str, Figure]]) -> None:
    for name, figure in made:
        for trace in traces(figure):
            if figure.key == "stages" and trace["type"] == "bar" and "legendgroup" not in trace:
                assert trace["x"] == [None]  # the key of the stages
                continue
            assert trace["legendgroup"], (name, figure.key)
            assert trace["meta"]["stack"]["title"], (name, figure.key)


def test_every_colour_has_a_twin_for_dark_pages(made: list[tuple[str, Figure]]) -> None:
    twins = set(dark_twins())
    for name, figure in made:
        assert set(colors(figure.plot, "")) <= twins, (name, figure.key)


def colors(value: object, key: str) -> Iterator[str]:
    if isinstance(value, dict):
        for name, one in value.items():
            yield from colors(one, str(name))
    elif isinstance(value, list):
        for one in value:
            yield from colors(one, key)
    elif isinstance(value, str) and "color" in key:
        yield value


def test_a_mark_tells_its_whole_sample(four: dict[str, Figure]) -> None:
    (first, *_) = hovers(four["iterations"], "ollama")
    for part in ("Ollama 0.17.4", "Go · served", "run 7", "iteration 1", "block 1", "timed"):
        assert part in first
    for part in ("E2E", "TTFT", "TPOT", "8 tokens", "compute 1.4", "memory 1.3"):
        assert part in first


def test_warm_up_is_shown_and_said(four: dict[str, Figure]) -> None:
    warm = [text for text in hovers(four["iterations"], "llama.cpp") if "warm-up" in text]
    assert len(warm) == 2
    (trace,) = (one for one in traces(four["iterations"], "llama.cpp") if len(one["x"]) == 2)
    assert all(0 < x < 1 for x in trace["x"])


def test_an_outlier_is_ringed_and_said() -> None:
    frames = build_frames([rename(LLAMA_CPP, noise=0.002), OLLAMA])
    samples = frames.samples.copy()
    place = samples.index[(samples["stack"] == "llama.cpp") & (samples["iteration"] == 5)][-1]
    samples.at[place, "chunk_ns"] = cell(samples, place, "chunk_ns") + 4_000_000_000
    figure = figures_of(frames._replace(samples=samples))["iterations"]
    said = [text for text in hovers(figure, "llama.cpp") if "outlier" in text]
    assert len(said) == 1
    assert "iteration 5" in said[0]
    rings = [one for one in traces(figure) if one["marker"]["symbol"] == "circle-open"]
    assert [5.0] in [one["x"] for one in rings]


def test_a_failed_iteration_leaves_a_gap() -> None:
    figure = figures_of(CASES["troubled"]())["iterations"]
    line = traces(figure, "ollama")[0]
    assert line["y"][line["x"].index(7.0)] is None
    assert any("timed out" in text for text in hovers(figure, "ollama"))


def test_embedded_and_served_stand_in_panels_of_their_own(four: dict[str, Figure]) -> None:
    for key in ("baseline", "baseline-zoomed", "iterations", "iterations-zoomed", "tokens"):
        panels: dict[str, set[str]] = {}
        for trace in traces(four[key]):
            panels.setdefault(trace["yaxis"], set()).add(trace["meta"]["stack"]["kind"][-8:])
        assert all(len(paths) == 1 for paths in panels.values()), key
        captions = [note["text"] for note in four[key].plot["layout"]["annotations"]]
        assert ["Embedded" in captions[0], "Served" in captions[1]] == [True, True]


def test_served_marks_are_hollow_and_embedded_ones_solid(four: dict[str, Figure]) -> None:
    for trace in traces(four["iterations"]):
        if trace["mode"] == "lines+markers":
            is_served = "served" in trace["meta"]["stack"]["kind"]
            assert trace["marker"]["symbol"].endswith("-open") is is_served


def test_each_language_has_the_colour_of_the_palette(four: dict[str, Figure]) -> None:
    for trace in traces(four["iterations"]):
        stack = trace["meta"]["stack"]
        language = stack["kind"].split(" ")[0]
        (look,) = (look for name, look in LANGUAGES.items() if name.value == language)
        assert stack["color"] == look.color


def test_bars_start_at_zero_and_cut_axes_say_so() -> None:
    close = figures_of(CASES["close"]())
    for figure in close.values():
        layout = figure.plot["layout"]
        if any(trace["type"] == "bar" for trace in figure.plot["data"]):
            assert layout["xaxis"]["range"][0] == 0, figure.key
    zoomed = close["baseline-zoomed"].plot["layout"]
    assert zoomed["xaxis"]["range"][0] > 0
    assert "does not start at zero" in json.dumps(zoomed)


def test_the_zoomed_figures_name_what_they_leave_out(four: dict[str, Figure]) -> None:
    for key in ("baseline-zoomed", "iterations-zoomed"):
        assert not traces(four[key], "mistral.rs-wheel")
        assert "Left out: mistral.rs (wheel) 0.9.5 (26.7 s)." in four[key].caption


def test_a_stack_without_a_result_keeps_its_row() -> None:
    figure = figures_of(CASES["troubled"]())["baseline"]
    texts = [text for one in traces(figure, "transformers") for text in one.get("text", [])]
    assert any("no complete sample" in text for text in texts)


def test_a_struck_stack_is_struck_and_no_speed() -> None:
    figures = figures_of(struck_frames())
    for key, figure in figures.items():
        for trace in traces(figure, "transformers"):
            assert trace["meta"]["stack"]["color"] == QUIET, key
        said = " ".join([*hovers(figure, "transformers"), figure.caption, json.dumps(figure.plot)])
        assert "struck out" in said, key
        assert not any("median E2E" in text for text in hovers(figure, "transformers")), key
    assert not traces(figures["tokens"], "transformers")
    assert "transformers struck out" in figures["baseline"].alt
    (row,) = (row for row in table(figures["baseline"]) if "transformers" in row[0].text)
    assert row[2].text == "struck out"
    assert row[2].note == REASON


def table(figure: Figure) -> Any:
    assert figure.table is not None
    return figure.table.rows


def test_many_gaps_are_thinned_and_that_is_said() -> None:
    figures = figures_of(build_frames([LLAMA_CPP, TRANSFORMERS], iterations=80))
    figure = figures["distributions"]
    for trace in traces(figure):
        if trace.get("mode") == "markers":
            assert len(trace["x"]) <= MOST_DOTS
    assert f"{MOST_DOTS} are drawn" in figure.caption
    counts = {cell.value for row in table(figure) if row[2].text == "ITL" for cell in row[3:4]}
    assert counts == {80.0 * 7}


def test_a_long_run_stays_small_and_says_what_is_left_out() -> None:
    figures = figures_of(build_frames([LLAMA_CPP], iterations=1_000))
    for key in ("baseline", "iterations", "distributions"):
        assert max(len(one.get("x") or []) for one in traces(figures[key])) <= 420, key
        assert re.search(r"One in \d+ is shown|are drawn", figures[key].caption), key
    rows = table(figures["iterations"])
    assert len(rows) <= 800
    assert figures["iterations"].table is not None
    assert "polystack export" in figures["iterations"].table.caption


def test_few_values_are_all_drawn(four: dict[str, Figure]) -> None:
    assert "are drawn" not in four["distributions"].caption


def test_a_variant_has_a_shape_of_its_own() -> None:
    variant = rename(LLAMA_CPP, name="llama.cpp@threads=1", title="llama.cpp (threads=1)")
    figure = figures_of(build_frames([LLAMA_CPP, variant]))["iterations"]
    symbols = {one["meta"]["stack"]["symbol"] for one in traces(figure)}
    assert symbols == {"circle", "cross"}


def test_names_are_safe_for_plotly() -> None:
    frames = build_frames([rename(LLAMA_CPP, name="x", title="<b>&amp;</b>")])
    for figure in figures_of(frames).values():
        text = json.dumps(figure.plot)
        assert "<b>&amp;</b>" not in text
        assert "&lt;b&gt;&amp;amp;&lt;/b&gt;" in text


@pytest.mark.parametrize("name", ["only failures", "nothing started", "only early stops"])
def test_figures_without_anything_to_show_are_left_out(name: str) -> None:
    assert "iterations" not in figures_of(CASES[name]())


@pytest.mark.parametrize(
    "make", [LOADS["only failures"], LOADS["nothing started"], LOADS["no stack"]]
)
def test_a_load_without_figures_has_no_picture(make: Callable[[], Any]) -> None:
    assert not load_figures(load_data(make()))


def test_a_load_tells_its_levels() -> None:
    (figure,) = load_figures(load_data(LOADS["four"]())).values()
    assert figure.key == "users"
    words = " ".join(hovers(figure, "ollama"))
    for part in ("16 users", "TTFT p50", "TGR", "complete requests"):
        assert part in words
    assert figure.plot["layout"]["xaxis3"]["title"]["text"] == "Users at once"
    opened = load_figures(load_data(LOADS["open"]()))["users"]
    assert opened.plot["layout"]["xaxis3"]["title"]["text"] == "Requests due per second"
    assert "when a request was due" in opened.caption

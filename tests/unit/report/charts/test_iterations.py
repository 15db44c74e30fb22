"""What the scatter plots say, read from their artists."""

import numpy as np
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from python_runner.engines.contract import Language
from python_runner.report.palette import LANGUAGES
from python_runner.report.paths import CAPTIONS
from tests.golden.cases import CASES
from tests.golden.frames import FOUR, LLAMA_CPP, OLLAMA, build_frames, rename
from tests.unit.report.charts.drawn import data_of, draw, words


def series(figure: Figure) -> dict[str, Line2D]:
    return {
        str(line.get_label()): line
        for axes in figure.axes
        for line in axes.lines
        if not str(line.get_label()).startswith("_")
    }


def test_every_complete_iteration_is_a_mark() -> None:
    frames = build_frames()
    complete = data_of(frames).complete
    found = series(draw("iterations", frames))
    assert set(found) == {stack.name for stack in FOUR}
    for stack, line in found.items():
        mine = complete[complete["stack"] == stack]
        assert np.asarray(line.get_xdata()).tolist() == mine["iteration"].tolist()
        assert np.asarray(line.get_ydata()).tolist() == (mine["e2e_ms"] / 1000).tolist()


def test_looks_follow_language_and_path() -> None:
    frames = CASES["seven"]()
    summary = data_of(frames).summary.set_index("stack")
    found = series(draw("iterations", frames))
    for stack, line in found.items():
        look = LANGUAGES[Language(str(summary.loc[stack, "language"]))]
        is_served = summary.loc[stack, "reach"] == "served"
        assert line.get_marker() == look.marker
        assert (line.get_markerfacecolor() == "none") == is_served
        drawn = line.get_markeredgecolor() if is_served else line.get_markerfacecolor()
        assert to_hex(drawn).upper() == look.color
    assert found["ollama"].get_linestyle() != found["ollama-new"].get_linestyle()


def test_axes() -> None:
    embedded, served = draw("iterations", build_frames()).axes
    assert embedded.get_ylabel() == served.get_ylabel() == "E2E latency (s)"
    assert (embedded.get_xlim(), embedded.get_ylim()) == (served.get_xlim(), served.get_ylim())
    assert served.get_xlabel() == "Timed iteration, in the order of measurement"
    assert not embedded.get_xlabel()
    assert served.get_ylim()[0] == 0
    assert all(float(tick).is_integer() for tick in served.get_xticks())


def test_embedded_and_served_have_panels_of_their_own() -> None:
    figure = draw("iterations", build_frames())
    names = [{str(line.get_label()) for line in axes.lines} for axes in figure.axes]
    assert "llama.cpp" in names[0] - names[1]
    assert "ollama" in names[1] - names[0]
    assert all(caption in words(figure) for caption in CAPTIONS.values())


def test_labels_carry_engine_version_language_path_and_median() -> None:
    said = words(draw("iterations", build_frames()))
    for stack in FOUR:
        assert f"{stack.title} {stack.version}" in said
        assert f"{stack.language} · {stack.reach} · median" in said


def test_what_is_left_out_leaves_a_gap() -> None:
    frames = build_frames([LLAMA_CPP, rename(OLLAMA, failures={4: "boom"}, early_stops={6: 2})])
    values = np.asarray(series(draw("iterations", frames))["ollama"].get_ydata())
    assert np.flatnonzero(np.isnan(values)).tolist() == [3, 5]


def test_zoom_shows_the_fast_ones_and_says_where_the_axis_starts() -> None:
    figure = draw("iterations-zoomed", CASES["four"]())
    assert set(series(figure)) == {"llama.cpp", "ollama", "transformers"}
    assert "Left out: mistral.rs (wheel) 0.9.5 (" in words(figure).replace("\n", " ")
    assert figure.axes[0].get_ylim()[0] > 0
    assert "axis does not start at zero" in figure.axes[0].get_ylabel()


def test_nothing_measured_is_said() -> None:
    for name in ("iterations", "iterations-zoomed"):
        assert "No complete sample" in words(draw(name, CASES["only failures"]()))

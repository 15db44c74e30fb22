"""What the baseline charts say, read from their artists."""

import numpy as np
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from python_runner.engines.contract import Language, Reach
from python_runner.report.facts import TINY_WARNING
from python_runner.report.palette import LANGUAGES
from python_runner.report.paths import CAPTIONS, panels
from tests.golden.cases import CASES
from tests.golden.frames import FOUR, LLAMA_CPP, OLLAMA, build_frames
from tests.unit.report.charts.drawn import data_of, draw, words


def bars(figure: Figure) -> list[Rectangle]:
    """From the top down, panel by panel."""
    return [patch for axes in figure.axes for patch in axes.patches if isinstance(patch, Rectangle)]


def dots(figure: Figure) -> dict[str, PathCollection]:
    return {
        str(collection.get_label()): collection
        for axes in figure.axes
        for collection in axes.collections
        if isinstance(collection, PathCollection)
    }


def test_bars_are_medians_from_zero_fastest_on_top() -> None:
    frames = build_frames()
    figure = draw("baseline", frames)
    by_path = panels(data_of(frames).summary)
    for axes, panel in zip(figure.axes, by_path, strict=True):
        found = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
        assert [bar.get_width() for bar in found] == list(panel.stacks["e2e_ms"] / 1000)
        assert [bar.get_y() for bar in found] == sorted(bar.get_y() for bar in found)
        assert axes.get_xlim()[0] == 0
    assert {bar.get_x() for bar in bars(figure)} == {0}


def test_embedded_and_served_have_panels_of_their_own_on_one_scale() -> None:
    figure = draw("baseline", build_frames())
    embedded, served = figure.axes
    assert embedded.get_xlim() == served.get_xlim()
    said = words(figure)
    assert said.index(CAPTIONS[Reach.EMBEDDED]) < said.index(CAPTIONS[Reach.SERVED])
    assert "Ratios are to the fastest of the same panel." in said


def test_a_path_without_stacks_has_no_panel() -> None:
    figure = draw("baseline", build_frames([LLAMA_CPP]))
    assert len(figure.axes) == 1
    assert CAPTIONS[Reach.EMBEDDED] in words(figure)
    assert CAPTIONS[Reach.SERVED] not in words(figure)


def test_every_timed_iteration_is_a_dot() -> None:
    frames = build_frames()
    found = dots(draw("baseline", frames))
    assert set(found) == {stack.name for stack in FOUR}
    complete = data_of(frames).complete
    for stack, collection in found.items():
        seconds = complete.loc[complete["stack"] == stack, "e2e_ms"] / 1000
        offsets = np.asarray(collection.get_offsets())
        assert offsets[:, 0].tolist() == seconds.tolist()
        assert (np.diff(offsets[:, 1]) > 0).all(), "the first iteration is on top"


def test_the_same_data_give_the_same_dots() -> None:
    first, second = (dots(draw("baseline", build_frames()))["ollama"] for _ in range(2))
    assert np.array_equal(first.get_offsets(), second.get_offsets())


def test_colours_are_those_of_the_languages_and_stripes_mean_served() -> None:
    frames = build_frames()
    by_path = panels(data_of(frames).summary)
    rows = [row for panel in by_path for row in panel.stacks.to_dict(orient="records")]
    for bar, row in zip(bars(draw("baseline", frames)), rows, strict=True):
        assert to_hex(bar.get_edgecolor()).upper() == LANGUAGES[Language(row["language"])].color
        assert bool(bar.get_hatch()) == (row["reach"] == "served")


def test_labels_carry_engine_version_language_and_path() -> None:
    said = words(draw("baseline", build_frames()))
    for stack in FOUR:
        assert f"{stack.title} {stack.version}" in said
        assert f"{stack.language} · {stack.reach}" in said


def test_axis_and_caption() -> None:
    figure = draw("baseline", build_frames())
    assert figure.axes[-1].get_xlabel() == "E2E latency (s), from request to last token"
    assert not figure.axes[0].get_xlabel()
    said = words(figure)
    assert said.count("random weights") >= 2
    assert "Random weights: the speed is real, the text means nothing." in said
    assert "10 timed iterations in 5 blocks after 2 of warm-up" in said
    assert "run 7" in " ".join(said.split())


def test_the_tiny_model_is_warned_of_on_every_picture() -> None:
    for name in ("baseline", "baseline-zoomed", "iterations", "iterations-zoomed"):
        assert TINY_WARNING in words(draw(name, CASES["extreme"]()))


def test_a_stack_without_result_keeps_its_row() -> None:
    figure = draw("baseline", CASES["troubled"]())
    assert len(bars(figure)) == 3
    assert "no complete sample" in words(figure)
    assert "transformers gave no result: signal SIGILL" in words(figure)


def test_stripes_are_explained_only_where_there_are_any() -> None:
    assert "striped" in words(draw("baseline", build_frames([LLAMA_CPP, OLLAMA])))
    assert "striped" not in words(draw("baseline", build_frames([LLAMA_CPP])))


def test_zoom_leaves_out_the_slow_ones_and_says_so() -> None:
    figure = draw("baseline-zoomed", CASES["four"]())
    assert len(bars(figure)) == 3
    assert figure.axes[0].get_xlim()[0] == 0
    assert "Left out: mistral.rs (wheel) 0.9.5 (" in words(figure).replace("\n", " ")


def test_zoom_on_close_stacks_has_no_bars_and_says_where_the_axis_starts() -> None:
    figure = draw("baseline-zoomed", CASES["close"]())
    assert not bars(figure)
    assert figure.axes[0].get_xlim()[0] > 0
    assert figure.axes[-1].get_xlabel() == "E2E latency (s); axis does not start at zero"
    assert all(np.shape(found.get_offsets()) == (10, 2) for found in dots(figure).values())


def test_nothing_measured_is_said() -> None:
    assert "No complete sample" in words(draw("baseline-zoomed", CASES["only failures"]()))

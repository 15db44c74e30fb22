"""What the pictures of stages say, read from their artists."""

from __future__ import annotations

import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from python_runner.analyse.stages.breakdown import Stage
from python_runner.report.charts.stage_labels import SIZE, Part, labels_of
from python_runner.report.charts.text import text_width
from python_runner.report.palette import STAGES
from tests.golden.cases import CASES
from tests.golden.frames import FOUR, LLAMA_CPP, MISTRAL_RS, build_frames, rename
from tests.unit.report.charts.drawn import data_of, draw, words


def bars(figure: Figure) -> dict[str, dict[str, Rectangle]]:
    """Rectangles by stack and stage."""
    found: dict[str, dict[str, Rectangle]] = {}
    for container in figure.axes[0].containers:
        stack, _, stage = str(container.get_label()).partition(" ")
        (bar,) = container.get_children()
        assert isinstance(bar, Rectangle)
        found.setdefault(stack, {})[stage] = bar
    return found


def test_bars_are_as_long_as_requests_and_their_parts_follow_each_other() -> None:
    frames = build_frames()
    table = data_of(frames).stages
    request_ms = dict(zip(table["stack"], table["request_ms"], strict=True))
    for stack, parts in bars(draw("stages", frames)).items():
        end = 0.0
        for bar in parts.values():
            assert bar.get_x() == pytest.approx(end)
            end += bar.get_width()
        assert end == pytest.approx(request_ms[stack] / 1000)


def test_shares_end_at_all() -> None:
    figure = draw("stages-shares", build_frames())
    for parts in bars(figure).values():
        assert sum(bar.get_width() for bar in parts.values()) == pytest.approx(100)
    assert figure.axes[0].get_xlim() == pytest.approx((0, 100))


def test_looks_follow_stage_and_path() -> None:
    for stack, parts in bars(draw("stages", build_frames())).items():
        is_served = {one.name: one.reach == "served" for one in FOUR}[stack]
        for stage, bar in parts.items():
            assert to_hex(bar.get_facecolor()).upper() == STAGES[Stage(stage)].upper()
            assert bool(bar.get_hatch()) == is_served


def test_it_says_what_no_bar_shows() -> None:
    said = words(draw("stages", build_frames())).replace("\n", " ")
    assert "Not visible of Ollama: queue and HTTP (in prefill)" in said
    assert all(stage.value in said for stage in Stage)
    assert "Hatched: served over HTTP" in said


def test_a_stage_that_is_not_seen_has_no_bar() -> None:
    parts = bars(draw("stages", build_frames()))["ollama"]
    assert Stage.SAMPLE.value not in parts
    assert Stage.DECODE.value in parts


def test_nothing_measured_is_said() -> None:
    for name in ("stages", "stages-shares"):
        assert "No complete sample" in words(draw(name, CASES["only failures"]()))


def test_every_part_of_some_size_is_named_also_where_its_bar_is_short() -> None:
    slow = rename(MISTRAL_RS, e2e_s=80.0)
    figure = draw("stages", build_frames([LLAMA_CPP, slow]))
    assert words(figure).count("prefill") >= 3  # the legend, and each stack
    assert len(figure.axes[0].lines) >= 1  # from a part to its name


def test_texts_below_keep_out_of_each_others_way_and_on_the_axis() -> None:
    parts = [
        Part(name=name, share="9%", is_small=False, begin=place, length=0.05)
        for place, name in ((0.0, "queue and HTTP"), (0.05, "prefill"), (3.9, "decode"))
    ]
    labels = labels_of(parts, 4.0)
    assert not any(label.is_inside for label in labels)
    ends = 0.0
    for label in labels:
        half = text_width(label.text, SIZE) / 2
        assert label.centre - half >= ends
        ends = label.centre + half
    assert ends <= 4.0
    assert [label.text for label in labels_of(parts, 1.5)] == ["9%"] * 3


def test_what_is_hardly_there_has_no_name() -> None:
    part = Part(name="rest", share="0.2%", is_small=True, begin=0.0, length=0.01)
    assert labels_of([part], 4.0) == []

"""What pictures of loads say, read from their artists."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image

from python_runner.engines.contract import Language
from python_runner.report.facts import TINY_WARNING
from python_runner.report.load_data import LoadData, load_data
from python_runner.report.of_run import report_of
from python_runner.report.palette import LANGUAGES
from python_runner.store import Frames
from tests.golden.loads import LLAMA, LOADS, USERS, build_load, closed_levels
from tests.unit.report.charts.drawn import draw_load, words

LATENCIES = ("ttft", "itl", "tpot", "e2e")
KINDS = ("users", *LATENCIES, "throughput", "latency-throughput")


@pytest.fixture(scope="module")
def frames() -> Frames:
    return LOADS["four"]()


@pytest.fixture(scope="module")
def data(frames: Frames) -> LoadData:
    return load_data(frames)


@pytest.fixture(scope="module")
def pictures(frames: Frames) -> dict[str, Figure]:
    return draw_load(frames)


def panels(figure: Figure) -> list[Axes]:
    """Without the page's own axes, which hold the key."""
    return figure.axes[1:]


def points(axes: Axes, stack: str) -> list[tuple[float, float]]:
    return [
        (float(np.asarray(line.get_xdata())[0]), float(np.asarray(line.get_ydata())[0]))
        for line in axes.lines
        if line.get_label() == stack
    ]


def test_there_is_a_picture_of_each_kind_and_a_timeline_of_each_stack(
    pictures: dict[str, Figure],
) -> None:
    assert tuple(pictures) == (
        *KINDS,
        "over-time-llama-server",
        "over-time-ollama",
        "over-time-mistral-rs-server",
        "over-time-vllm",
    )


@pytest.mark.parametrize("figure", LATENCIES)
def test_latencies_are_percentiles_over_users(
    figure: str, data: LoadData, pictures: dict[str, Figure]
) -> None:
    for axes, percentile in zip(panels(pictures[figure]), (50, 90, 99), strict=True):
        assert axes.get_title(loc="left") == f"p{percentile}"
        assert axes.get_xlabel() == "Users at once"
        for stack, mine in data.levels.groupby("stack"):
            unit = 1000 if "(s)" in panels(pictures[figure])[0].get_ylabel() else 1
            wanted = mine[f"{figure}_p{percentile}_ms"] / unit
            found = points(axes, str(stack))
            assert [x for x, _ in found] == list(USERS)
            assert [y for _, y in found] == pytest.approx(wanted.tolist())


def test_colours_are_those_of_the_languages_and_pale_where_it_is_not_sure(
    pictures: dict[str, Figure],
) -> None:
    color = LANGUAGES[Language.GO].color
    sure, _, unsure = panels(pictures["ttft"])

    def edges(axes: Axes) -> set[str]:
        lines = [line for line in axes.lines if line.get_label() == "ollama"]
        return {to_hex(line.get_markeredgecolor()).upper() for line in lines}

    assert edges(sure) == {color}
    assert color not in edges(unsure)


def test_scales_say_their_unit_and_whether_they_are_logarithmic(
    pictures: dict[str, Figure],
) -> None:
    assert panels(pictures["itl"])[0].get_ylabel() == "ITL (ms)"
    assert panels(pictures["itl"])[0].get_ylim()[0] == 0
    assert panels(pictures["ttft"])[0].get_ylabel() == "TTFT (s)\nlogarithmic scale"


def test_throughput_shows_goodput_only_where_there_are_targets(
    pictures: dict[str, Figure],
) -> None:
    assert len(panels(pictures["throughput"])) == 3
    without = draw_load(build_load([LLAMA], closed_levels()))["throughput"]
    assert len(panels(without)) == 2


def test_the_tradeoff_has_a_mark_for_each_level_and_names_its_load(
    data: LoadData, pictures: dict[str, Figure]
) -> None:
    axes = panels(pictures["latency-throughput"])[0]
    mine = data.levels[data.levels["stack"] == "vllm"]
    assert [x for x, _ in points(axes, "vllm")] == pytest.approx(mine["tokens_per_s"].tolist())
    numbers = {text.get_text() for text in axes.texts}
    assert numbers == {str(users) for users in USERS}


def test_over_time_every_request_is_a_mark_and_the_steady_part_is_shaded(
    data: LoadData, pictures: dict[str, Figure]
) -> None:
    figure = pictures["over-time-ollama"]
    levels = data.levels[data.levels["stack"] == "ollama"].to_dict(orient="records")
    for axes, level in zip(panels(figure), levels, strict=True):
        scattered = {
            str(found.get_label()): np.asarray(found.get_offsets())
            for found in axes.collections
            if isinstance(found, PathCollection)
        }
        assert len(scattered["warm-up"]) == level["n_warmup"]
        assert len(scattered["ollama"]) == level["n_requests"] - level["n_warmup"]
        (shade,) = (patch for patch in axes.patches if isinstance(patch, Rectangle))
        start, end = shade.get_x(), shade.get_x() + shade.get_width()
        assert (start, end) == pytest.approx((level["window_start_s"], level["window_end_s"]))
        due = scattered["ollama"][:, 0]
        inside = (due >= start - 1e-9) & (due <= end + 1e-9)
        assert inside.sum() == level["n_inside"]


def test_failed_requests_are_marked_at_the_bottom() -> None:
    figure = draw_load(LOADS["troubled"]())["over-time-llama-server"]
    (crosses,) = (
        found
        for found in panels(figure)[-1].collections
        if isinstance(found, PathCollection) and found.get_label() == "failed"
    )
    assert len(np.asarray(crosses.get_offsets())) == 16
    assert "16 failed" in panels(figure)[-1].get_title(loc="left")


def test_captions_carry_conditions_and_what_to_beware_of(pictures: dict[str, Figure]) -> None:
    for figure in pictures.values():
        said = words(figure).replace("\n", " ")
        for needed in (
            TINY_WARNING,
            "2 threads · 4 slots",
            "closed loop · 80 requests a level, 4 of them warm-up",
            "The client's own error",
            "p99 takes 299 requests to be sure of",
            "study load-demo, run 8",
        ):
            assert needed in said


def test_an_open_loop_says_that_it_counts_from_when_a_request_was_due() -> None:
    drawn = draw_load(LOADS["open"]())
    assert "from when it was due" in words(drawn["ttft"]).replace("\n", " ")
    assert panels(drawn["ttft"])[0].get_xlabel() == "Requests due per second"
    assert "does not keep up" in words(drawn["e2e"]).replace("\n", " ")


@pytest.mark.parametrize("case", ["only failures", "nothing started", "no stack"])
def test_nothing_measured_is_said(case: str) -> None:
    drawn = draw_load(LOADS[case]())
    for kind in KINDS:
        assert "No request with a figure" in words(drawn[kind])


def test_every_picture_is_written_twice_with_its_caption(tmp_path: Path) -> None:
    paths = report_of(LOADS["one stack"]()).draw(tmp_path / "new")
    names = (*KINDS, "over-time-llama-server")
    assert [path.name for path in paths] == [
        f"{name}.{suffix}" for name in names for suffix in ("png", "svg")
    ]
    with Image.open(paths[0]) as picture:
        assert TINY_WARNING in str(picture.info["Description"])

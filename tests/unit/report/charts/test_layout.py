"""Nothing is clipped and nothing overlaps, whatever was measured."""

import pytest

from python_runner.report.charts.table import CHARTS
from tests.golden.cases import CASES
from tests.golden.loads import LOADS
from tests.unit.report.charts.drawn import (
    assert_everything_has_its_place,
    draw,
    draw_load,
    texts,
)

SMALLEST_TEXT = 9.0
README_WIDTH_PX = 900


@pytest.mark.parametrize("chart", [chart.name for chart in CHARTS])
@pytest.mark.parametrize("case", CASES)
def test_everything_has_its_place(case: str, chart: str) -> None:
    assert_everything_has_its_place(draw(chart, CASES[case]()))


@pytest.mark.parametrize("case", LOADS)
def test_everything_has_its_place_in_pictures_of_loads(case: str) -> None:
    for name, figure in draw_load(LOADS[case]()).items():
        assert_everything_has_its_place(figure, name)
        assert min(float(text.get_fontsize()) for text in texts(figure)) >= SMALLEST_TEXT


@pytest.mark.parametrize("chart", [chart.name for chart in CHARTS])
def test_text_is_large_enough_in_a_readme(chart: str) -> None:
    figure = draw(chart, CASES["four"]())
    pixels_per_point = README_WIDTH_PX / figure.get_figwidth() / 72
    assert min(float(text.get_fontsize()) for text in texts(figure)) >= SMALLEST_TEXT
    assert SMALLEST_TEXT * pixels_per_point >= 12

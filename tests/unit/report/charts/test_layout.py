"""Nothing is clipped and nothing overlaps, whatever was measured."""

from itertools import combinations
from math import isnan

import pytest
from matplotlib.lines import Line2D
from matplotlib.transforms import Bbox

from python_runner.report.charts.table import CHARTS
from tests.golden.cases import CASES
from tests.unit.report.charts.drawn import boxes, draw, marks, texts

SMALLEST_TEXT = 9.0
README_WIDTH_PX = 900


@pytest.mark.parametrize("chart", [chart.name for chart in CHARTS])
@pytest.mark.parametrize("case", CASES)
def test_everything_has_its_place(case: str, chart: str) -> None:
    figure = draw(chart, CASES[case]())
    page = figure.bbox
    found = boxes(figure)
    for text, box in found:
        assert page.x0 <= box.x0 <= box.x1 <= page.x1, text
        assert page.y0 <= box.y0 <= box.y1 <= page.y1, text
    for (text, box), (other, other_box) in combinations(found, 2):
        assert not _overlap(box, other_box), (text, other)
    (rule,) = (artist for artist in figure.artists if isinstance(artist, Line2D))
    height = rule.get_window_extent().y0
    assert not [text for text, box in found if box.y0 <= height <= box.y1]
    for x, y in marks(figure):
        if not isnan(x + y):  # a failed iteration has no place
            assert page.contains(x, y)
            assert not [text for text, box in found if box.contains(x, y)]


@pytest.mark.parametrize("chart", [chart.name for chart in CHARTS])
def test_text_is_large_enough_in_a_readme(chart: str) -> None:
    figure = draw(chart, CASES["four"]())
    pixels_per_point = README_WIDTH_PX / figure.get_figwidth() / 72
    assert min(float(text.get_fontsize()) for text in texts(figure)) >= SMALLEST_TEXT
    assert SMALLEST_TEXT * pixels_per_point >= 12


def _overlap(first: Bbox, second: Bbox) -> bool:
    shared = Bbox.intersection(first, second)
    # Boxes hold room for descenders; half a pixel of that is not an overlap.
    return shared is not None and shared.width > 0.5 and shared.height > 0.5

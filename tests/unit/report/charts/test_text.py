import pytest
from hypothesis import given
from hypothesis import strategies as st

from python_runner.report.charts.text import spread, text_width, wrap

SIZE = 10.0


def test_short_text_stays_on_one_line() -> None:
    assert wrap("llama.cpp 0.3.36", 5.0, SIZE) == ["llama.cpp 0.3.36"]
    assert wrap("", 5.0, SIZE) == []


@given(st.lists(st.text("abcM$_{}", min_size=1, max_size=30), max_size=12))
def test_wrapped_lines_fit_and_lose_nothing(parts: list[str]) -> None:
    text = " ".join(parts)
    lines = wrap(text, 1.0, SIZE)
    assert all(text_width(line, SIZE) <= 1.0 for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_what_is_cut_off_is_marked() -> None:
    lines = wrap("one two three four five six seven eight", 0.5, SIZE, most_lines=2)
    assert len(lines) == 2
    assert lines[-1].endswith("…")
    assert text_width(lines[-1], SIZE) <= 0.5


def test_bold_is_wider() -> None:
    assert text_width("llama.cpp", SIZE, "bold") > text_width("llama.cpp", SIZE)


def test_labels_with_room_stay_where_they_are() -> None:
    assert spread([1.0, 3.0], [0.5, 0.5], 4.0) == [1.0, 3.0]


@given(
    st.lists(st.tuples(st.floats(0, 10), st.floats(0.1, 1.0)), max_size=10),
)
def test_labels_do_not_overlap_and_keep_their_order(labels: list[tuple[float, float]]) -> None:
    wanted = [centre for centre, _ in labels]
    heights = [height for _, height in labels]
    placed = spread(wanted, heights, 10.0)
    order = sorted(range(len(labels)), key=lambda index: wanted[index])
    edge = 0.0
    for index in order:
        top, bottom = placed[index] - heights[index] / 2, placed[index] + heights[index] / 2
        assert top >= edge - 1e-9
        edge = bottom
    assert edge <= 10.0 + 1e-9


def test_more_labels_than_room_run_over_the_end_and_not_into_each_other() -> None:
    assert spread([1.0, 1.0], [2.0, 2.0], 3.0) == pytest.approx([1.0, 3.0])

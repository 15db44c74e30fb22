"""`plot`: two columns of a frame as a picture."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from matplotlib.colors import to_hex
from PIL import Image

from python_runner import load, plot
from python_runner.common.errors import UnknownNameError, UsageError
from python_runner.engines.contract import Language
from python_runner.notebook import Picture
from python_runner.report.palette import LANGUAGES


@pytest.fixture(scope="session")
def requests(stored: Path) -> pd.DataFrame:
    return load(stored, 1)


def words_of(picture: Picture) -> str:
    figure = picture.figure
    texts = [text.get_text() for text in (*figure.texts, *picture.axes.texts)]
    names = [picture.axes.get_xlabel(), picture.axes.get_ylabel()]
    ticks = [label.get_text() for label in picture.axes.get_yticklabels()]
    return "\n".join([*texts, *names, *ticks])


@pytest.mark.parametrize(
    ("x", "kind"),
    [(None, "strip"), (None, "ecdf"), ("iteration", "points"), ("iteration", "median")],
)
def test_every_kind_has_colours_units_and_conditions(
    x: str | None, kind: str, requests: pd.DataFrame
) -> None:
    picture = plot(requests[~requests["is_warmup"]], "ttft_ms", x=x, kind=kind)
    colors = set()
    for line in picture.axes.get_lines():
        colors |= {to_hex(line.get_markerfacecolor()), to_hex(line.get_markeredgecolor())}
    languages = (Language.CPP, Language.GO, Language.RUST, Language.PYTHON)
    assert {LANGUAGES[one].color.lower() for one in languages} <= colors
    words = words_of(picture)
    assert "TTFT (ms)" in words
    assert "Tiny model" in words
    assert "36 prompt tokens" in words
    for title in set(requests["title"]):
        assert title.split()[0] in words
    assert "Warm-up included" not in words
    with Image.open(BytesIO(picture._repr_png_()[0])) as image:
        assert image.width == 9 * 160


def test_rows_without_a_value_are_left_out_and_counted(requests: pd.DataFrame) -> None:
    frame = requests.copy()
    frame.loc[frame.index[:3], "ttft_ms"] = float("nan")
    words = words_of(plot(frame, "ttft_ms"))
    assert f"3 of {len(frame)} rows have no value" in words.replace("\n", " ")
    assert "Warm-up included" in words


def test_a_scale_says_what_it_is(requests: pd.DataFrame) -> None:
    shifted = requests.assign(ttft_ms=requests["ttft_ms"] + 10_000)
    assert "axis does not start at zero" in words_of(plot(shifted, "ttft_ms", x="iteration"))
    logarithmic = plot(shifted, "ttft_ms", x="iteration", log=True)
    assert "logarithmic" in words_of(logarithmic)
    assert logarithmic.axes.get_yscale() == "log"


def test_stacks_of_several_runs_stand_apart(stored: Path) -> None:
    words = words_of(plot(load(stored, 1, 2), "e2e_ms"))
    assert "run 1" in words
    assert "run 2" in words


def test_a_frame_that_lost_its_conditions_still_says_what_it_knows(
    requests: pd.DataFrame,
) -> None:
    frame = requests.copy()
    frame.attrs = {}
    words = words_of(plot(frame, "e2e_ms")).replace("\n", " ")
    assert "conditions are not known" in words
    assert "Tiny model" in words


def test_a_column_of_ones_own_is_drawn(requests: pd.DataFrame) -> None:
    frame = requests.assign(half_ms=requests["e2e_ms"] / 2)
    picture = plot(frame, "half_ms", title="Half of it")
    assert "half_ms (ms)" in words_of(picture)
    assert "Half of it" in picture.text


def test_loads_are_drawn_too(stored: Path) -> None:
    frame = load(stored, 3)
    assert "TTFT over users" in plot(frame, "ttft_ms", x="users", kind="median").text


@pytest.mark.parametrize(
    ("y", "options", "says"),
    [
        ("tftt_ms", {}, "unknown column 'tftt_ms'"),
        ("outcome", {}, "holds no numbers"),
        ("ttft_ms", {"kind": "points"}, "kind of picture without an x"),
        ("ttft_ms", {"x": "iteration", "kind": "ecdf"}, "kind of picture over an x"),
    ],
)
def test_what_cannot_be_drawn(
    y: str, options: dict[str, Any], says: str, requests: pd.DataFrame
) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        plot(requests, y, **options)
    assert caught.value.hint


def test_nothing_to_draw(requests: pd.DataFrame) -> None:
    with pytest.raises(UsageError, match="no row has a value"):
        plot(requests.iloc[:0], "ttft_ms")
    with pytest.raises(UnknownNameError, match="unknown column 'title'"):
        plot(requests[["ttft_ms"]], "ttft_ms")


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_a_picture_is_saved(ending: str, requests: pd.DataFrame, tmp_path: Path) -> None:
    target = plot(requests, "ttft_ms").save(tmp_path / f"ttft.{ending}")
    assert target.stat().st_size > 1000


def test_a_picture_that_cannot_be_saved(requests: pd.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written"):
        plot(requests, "ttft_ms").save(tmp_path / "nowhere" / "ttft.png")
    with pytest.raises(UsageError, match="cannot be written"):
        plot(requests, "ttft_ms").save(tmp_path / "ttft.nothing")

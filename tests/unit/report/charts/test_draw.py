from pathlib import Path

import matplotlib as mpl
import pytest
from PIL import Image

from python_runner.common.errors import UsageError
from python_runner.report import charts
from python_runner.report.charts import draw_all
from python_runner.report.charts.table import CHARTS
from tests.golden.frames import LLAMA_CPP, OLLAMA, build_frames


def test_every_chart_is_written_twice(tmp_path: Path) -> None:
    folder = tmp_path / "not" / "there"
    paths = draw_all(*build_frames([LLAMA_CPP, OLLAMA]), folder)
    assert [path.name for path in paths] == [
        f"{chart.name}.{suffix}" for chart in CHARTS for suffix in ("png", "svg")
    ]
    assert sorted(paths) == sorted(folder.iterdir())
    for path in paths[::2]:
        with Image.open(path) as picture:
            assert picture.width == 1800
            assert "random weights" in str(picture.info["Description"])
    assert "random weights" in paths[1].read_text(encoding="utf-8")


def test_the_same_data_give_the_same_files_whatever_the_users_own_style(tmp_path: Path) -> None:
    frames = build_frames([LLAMA_CPP])
    plain = draw_all(*frames, tmp_path / "plain")
    with mpl.rc_context({"axes.facecolor": "red", "font.size": 30}):
        styled = draw_all(*frames, tmp_path / "styled")
        assert mpl.rcParams["axes.facecolor"] == "red"
    for one, other in zip(plain, styled, strict=True):
        assert one.read_bytes() == other.read_bytes()


def test_several_runs_are_not_drawn_into_one_picture(tmp_path: Path) -> None:
    frames = build_frames([LLAMA_CPP])
    with pytest.raises(UsageError):
        draw_all(frames.samples, frames.conditions, frames.runs.iloc[:0], tmp_path)
    assert not list(tmp_path.iterdir())


def test_pyplot_with_its_global_state_is_not_used() -> None:
    for path in Path(charts.__file__).parent.rglob("*.py"):
        assert "pyplot" not in path.read_text(encoding="utf-8"), path

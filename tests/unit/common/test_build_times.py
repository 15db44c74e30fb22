"""What a build took is kept with it, and what was not kept is not known."""

from pathlib import Path

import pytest

from python_runner.common.build.cache import build_once
from python_runner.common.build.times import (
    BUILD_TIME,
    BuildClock,
    BuildTime,
    keep_time,
    kept_time,
    move_times,
)
from python_runner.common.locations import CACHE_VARIABLE
from python_runner.common.progress import SilentProgress

TAKEN = BuildTime(wall_s=12.5, cpu_s=20.0, cores=2, created="2026-01-02T03:04:05+00:00")


def test_a_build_keeps_what_it_took(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    folder = build_once("thing", {}, lambda _folder: None, SilentProgress())
    found = kept_time(folder)
    assert found is not None
    assert found.wall_s >= 0
    assert found.cpu_s >= 0
    assert found.cores >= 1
    assert not found.from_nothing


def test_a_time_comes_back(tmp_path: Path) -> None:
    keep_time(tmp_path, TAKEN)
    assert kept_time(tmp_path) == TAKEN
    assert [path.name for path in tmp_path.iterdir()] == [BUILD_TIME]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"wall_s": 1}', '{"other": 1}'])
def test_what_cannot_be_read_is_not_known(tmp_path: Path, text: str) -> None:
    (tmp_path / BUILD_TIME).write_text(text)
    assert kept_time(tmp_path) is None


def test_a_build_from_before_has_no_time(tmp_path: Path) -> None:
    assert kept_time(tmp_path) is None


def test_a_clock_only_goes_forward() -> None:
    clock = BuildClock()
    assert 0 <= clock.read().wall_s <= clock.read().wall_s


def test_times_of_builds_from_nothing_go_to_the_builds_that_are_used(tmp_path: Path) -> None:
    made, builds = tmp_path / "made", tmp_path / "builds"
    for folder in (made / "a-1", made / "b-1", builds / "a-1", builds / "c-1"):
        folder.mkdir(parents=True)
    keep_time(made / "a-1", TAKEN)
    keep_time(made / "b-1", TAKEN)
    keep_time(builds / "c-1", TAKEN)
    (made / "c-1").symlink_to(builds / "c-1")

    assert move_times(made, builds) == ("a-1",)

    found = kept_time(builds / "a-1")
    assert found is not None
    assert found.from_nothing
    assert not (builds / "b-1").exists()
    assert kept_time(builds / "c-1") == TAKEN

"""Asking what would be built: the code that builds answers, and nothing is built."""

from pathlib import Path

import pytest

from python_runner.common.build.cache import build_once, builds_dir, location
from python_runner.common.build.survey import Survey
from python_runner.common.errors import SetupError, ToolMissingError
from python_runner.common.locations import CACHE_VARIABLE
from python_runner.common.progress import Progress, SilentProgress

RECIPE = {"flags": "-O3"}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))


def make(name: str, seconds: float, progress: Progress) -> Path:
    def build(folder: Path) -> None:
        with progress.task(f"Building {name}", expected_s=seconds):
            (folder / "made").write_text(name)

    return build_once(name, RECIPE, build, progress)


def two_parts(progress: Progress) -> None:
    make("library", 300.0, progress)
    make("binding", 20.0, progress)


def test_all_that_is_missing_is_named_and_nothing_is_built() -> None:
    found = Survey().run(two_parts)

    assert [work.title for work in found.missing] == ["Building library", "Building binding"]
    assert found.expected_s == 320.0
    assert found.used == (location("library", RECIPE), location("binding", RECIPE))
    assert found.problem is None
    assert not builds_dir().exists()


def test_what_is_there_is_used_and_not_missing() -> None:
    make("library", 300.0, SilentProgress())
    found = Survey().run(two_parts)

    assert [work.title for work in found.missing] == ["Building binding"]
    assert location("library", RECIPE) in found.used
    two_parts(SilentProgress())
    assert Survey().run(two_parts).missing == ()


def test_work_that_is_asked_for_twice_is_counted_once() -> None:
    def prepare(progress: Progress) -> None:
        make("library", 300.0, progress)
        two_parts(progress)

    assert Survey().run(prepare).expected_s == 320.0


def test_a_build_within_a_build_comes_first() -> None:
    def outer(progress: Progress) -> None:
        def build(folder: Path) -> None:
            make("headers", 5.0, progress)
            with progress.task("Building outer", expected_s=10.0):
                pass

        build_once("outer", RECIPE, build, progress)

    titles = [work.title for work in Survey().run(outer).missing]
    assert titles == ["Building headers", "Building outer"]


def test_a_missing_tool_is_the_problem() -> None:
    def prepare(progress: Progress) -> None:
        make("library", 300.0, progress)
        raise ToolMissingError("no go", hint="install it")

    found = Survey().run(prepare)
    assert isinstance(found.problem, SetupError)
    assert found.problem.hint == "install it"


def test_work_outside_of_builds_is_noted_too() -> None:
    def prepare(progress: Progress) -> None:
        with progress.task("Fetching a wheel", expected_s=7.0):
            raise AssertionError("must not begin")

    assert Survey().run(prepare).expected_s == 7.0


def test_reading_what_is_not_built_yet_ends_the_survey() -> None:
    def prepare(progress: Progress) -> None:
        (make("library", 300.0, progress) / "made").read_text()

    assert Survey().run(prepare).expected_s == 300.0
    make("library", 300.0, SilentProgress())
    assert Survey().run(prepare).missing == ()


def test_what_cannot_be_read_for_another_reason_is_an_error(tmp_path: Path) -> None:
    def prepare(progress: Progress) -> None:
        (tmp_path / "gone").read_text()

    with pytest.raises(FileNotFoundError):
        Survey().run(prepare)

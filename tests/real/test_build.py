"""Builds that run a compiler: what is shown, what is kept, what a failure says."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from python_runner.common.build.cache import builds_dir
from python_runner.common.build.commands import run_build
from python_runner.common.build.extension import build_extension, import_extension
from python_runner.common.errors import BuildFailedError
from python_runner.common.locations import CACHE_VARIABLE

PYPROJECT = """
[build-system]
requires = ["scikit-build-core>=0.11"]
build-backend = "scikit_build_core.build"

[project]
name = "paper"
version = "1"

[tool.scikit-build]
wheel.packages = []
"""
CMAKE = """
cmake_minimum_required(VERSION 3.25)
project(paper LANGUAGES CXX)
add_library(paper STATIC paper.cpp)
file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/paper_module.py "answer = 42")
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/paper_module.py DESTINATION .)
"""


class Watcher:
    """A task, and the progress that opens it, which remembers what was shown."""

    def __init__(self) -> None:
        self.fractions: list[float] = []
        self.titles: list[str] = []

    def update(self, fraction: float | None = None, note: str = "") -> None:
        if fraction is not None:
            self.fractions.append(fraction)

    @contextmanager
    def task(
        self, title: str, *, why: str = "", expected_s: float | None = None
    ) -> Iterator["Watcher"]:
        self.titles.append(title)
        yield self

    def say(self, message: str) -> None:
        self.titles.append(message)


class InterruptedWatcher(Watcher):
    """Meets Ctrl-C with the first line of output."""

    def update(self, fraction: float | None = None, note: str = "") -> None:
        raise KeyboardInterrupt


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    folder = tmp_path / "paper"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(PYPROJECT)
    (folder / "CMakeLists.txt").write_text(CMAKE)
    (folder / "paper.cpp").write_text("int paper() { return 42; }\n")
    return folder


def build(project: Path, progress: Watcher) -> Path:
    return build_extension(
        "paper", project, recipe_extra={}, env={}, expected_s=1, why="a test", progress=progress
    )


def test_an_extension_is_built_once_and_leaves_the_source_alone(project: Path) -> None:
    watcher = Watcher()
    before = sorted(project.rglob("*"))

    folder = build(project, watcher)
    again = build(project, watcher)

    assert again == folder
    assert watcher.titles == ["Building paper"]
    assert watcher.fractions[-1] == 1
    assert import_extension(folder, "paper_module").answer == 42
    assert sorted(project.rglob("*")) == before


def test_what_does_not_compile_is_explained_and_not_kept(project: Path) -> None:
    (project / "paper.cpp").write_text("this is no C++\n")

    with pytest.raises(BuildFailedError) as caught:
        build(project, Watcher())

    log = Path(caught.value.hint.removeprefix("The whole log: "))
    assert "paper.cpp:1:1: error" in log.read_text()
    assert not [path for path in builds_dir().iterdir() if path.is_dir()]


def test_a_failed_command_shows_the_end_of_its_output(tmp_path: Path) -> None:
    command = ["sh", "-c", "echo '[1/4] one'; echo '  [2/4] two'; echo no luck; exit 3"]
    watcher = Watcher()

    with pytest.raises(BuildFailedError, match=r"sh failed \(exit code 3\)(.|\n)*no luck"):
        run_build(command, log=tmp_path / "log", task=watcher)
    assert watcher.fractions == [0.25, 0.5]


def test_an_interrupted_build_leaves_no_process(tmp_path: Path) -> None:
    # Engines that other tests share may be running; only what is new would be a left-over.
    before = set(psutil.Process().children(recursive=True))
    with pytest.raises(KeyboardInterrupt):
        run_build(
            ["sh", "-c", "echo begin; sleep 600 & wait"],
            log=tmp_path / "log",
            task=InterruptedWatcher(),
        )
    assert not set(psutil.Process().children(recursive=True)) - before

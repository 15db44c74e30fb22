"""Nobody waits for a long build before he sees a first figure."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from python_runner.common.build.cache import build_once
from python_runner.common.locations import CACHE_VARIABLE
from python_runner.common.progress import Progress, SilentProgress
from python_runner.engines import mock
from python_runner.engines.mock import MockEngine, MockScript
from python_runner.run.compare import compare
from python_runner.store import Store, read_frames
from tests.unit.builders import study


class Slow(MockEngine):
    """Needs a long build, once."""

    def __init__(self, like: MockEngine) -> None:
        super().__init__(like.spec, MockScript())

    def prepare(self, progress: Progress) -> None:
        def make(_folder: Path) -> None:
            with progress.task("Building the slow one", why="", expected_s=600.0):
                pass

        build_once("slow", {"name": self.spec.name}, make, progress)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setattr(mock, "CPP", Slow(mock.CPP))
    with Store(tmp_path / "polystack.sqlite") as opened:
        yield opened


def run(store: Store, *stacks: str) -> list[list[str]]:
    """The stacks that had been measured at each interim showing."""
    seen: list[list[str]] = []

    def note(run_id: int) -> None:
        seen.append(list(read_frames(store, [run_id]).conditions["stack"]))

    chosen = study(stacks=stacks, iterations=1, warmup=0)
    compare(chosen, store, logs=store.path.parent, progress=SilentProgress(), on_part=note)
    return seen


def test_stacks_that_are_ready_are_shown_before_a_long_build(store: Store) -> None:
    assert run(store, "mock-cpp", "mock-go") == [["mock-go"]]
    assert list(read_frames(store).conditions["stack"]) == ["mock-go", "mock-cpp"]


def test_what_is_built_already_runs_in_the_study_s_order(store: Store) -> None:
    run(store, "mock-cpp")
    assert run(store, "mock-cpp", "mock-go") == []
    assert list(read_frames(store, [2]).conditions["stack"]) == ["mock-cpp", "mock-go"]


def test_where_all_need_a_long_build_nothing_is_shown_before(store: Store) -> None:
    assert run(store, "mock-cpp") == []

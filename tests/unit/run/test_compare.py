"""One stack that cannot be had does not cost the others, and the reason is kept."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from python_runner.common.errors import (
    BuildFailedError,
    ModelError,
    PolystackError,
    SetupError,
    ToolMissingError,
)
from python_runner.common.progress import Progress, SilentProgress
from python_runner.engines import mock
from python_runner.engines.mock import MockEngine, MockScript
from python_runner.run.compare import Comparison, compare
from python_runner.store import Store, read_frames
from tests.cells import cell
from tests.unit.builders import study
from tests.unit.cli.conftest import Polystack

NO_GO = ToolMissingError("go was not found", hint="apt install golang-go")


class Unprepared(MockEngine):
    """Cannot be built."""

    def __init__(self, like: MockEngine, reason: Exception) -> None:
        super().__init__(like.spec, MockScript())
        self._reason = reason

    def prepare(self, progress: Progress) -> None:
        raise self._reason


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "polystack.sqlite") as opened:
        yield opened


def run(store: Store, *stacks: str) -> Comparison:
    chosen = study(stacks=stacks, iterations=2, warmup=0)
    return compare(chosen, store, logs=store.path.parent, progress=SilentProgress())


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        (NO_GO, "go was not found (apt install golang-go)"),
        (BuildFailedError("ninja failed", hint="The whole log: x.log"), "ninja failed"),
        (OSError(28, "No space left on device", "/cache"), "No space left on device: /cache"),
    ],
)
def test_what_cannot_be_built_is_a_row_and_the_others_run(
    store: Store, monkeypatch: pytest.MonkeyPatch, reason: Exception, said: str
) -> None:
    monkeypatch.setattr(mock, "GO", Unprepared(mock.GO, reason))
    outcome = run(store, "mock-go", "mock-cpp")

    assert outcome.not_built == {"mock-go"}
    assert said in outcome.broken["mock-go"]
    frames = read_frames(store)
    conditions = frames.conditions.set_index("stack")
    assert said in cell(conditions, "mock-go", "error")
    assert conditions.loc["mock-cpp", "error"] == ""
    assert len(frames.samples) == 2
    assert list(frames.runs["status"]) == ["complete"]


def test_where_nothing_can_be_built_nothing_is_stored(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mock, "GO", Unprepared(mock.GO, NO_GO))
    with pytest.raises(SetupError, match="go was not found"):
        run(store, "mock-go")
    assert store.run_ids() == []


def test_a_crash_is_told_apart_from_what_was_not_built(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mock, "GO", MockEngine(mock.GO.spec, MockScript(crash_at=1)))
    outcome = run(store, "mock-go", "mock-cpp")
    assert outcome.not_built == frozenset()
    assert "SIGILL" in outcome.broken["mock-go"]


def test_too_little_memory_is_refused_before_anything_is_built(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    little = SimpleNamespace(available=1_000_000, total=10**10)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: little)
    module = sys.modules[compare.__module__]
    monkeypatch.setattr(module, "build_what_is_quick", lambda *_: pytest.fail("building has begun"))
    with pytest.raises(ModelError, match="are available"):
        run(store, "mock-cpp")
    assert store.run_ids() == []


@pytest.mark.parametrize(
    ("go", "code"),
    [
        (Unprepared(mock.GO, NO_GO), SetupError.exit_code),
        (MockEngine(mock.GO.spec, MockScript(crash_at=2)), 5),
    ],
)
def test_the_exit_code_says_what_happened(
    polystack: Polystack, monkeypatch: pytest.MonkeyPatch, go: MockEngine, code: int
) -> None:
    monkeypatch.setattr(mock, "GO", go)
    outcome = polystack("compare", "demo", "--stacks", "mock-go,mock-cpp", "--iterations", "2")
    assert outcome.code == code
    assert "mock-go gave no full set of samples" in outcome.out
    assert "mock C++" in outcome.out


def test_a_full_disk_is_no_traceback(polystack: Polystack, monkeypatch: pytest.MonkeyPatch) -> None:
    def fill(*_: object) -> None:
        raise OSError(28, "No space left on device", "/results/x.png")

    monkeypatch.setattr("python_runner.cli.output.draw", fill)
    outcome = polystack("compare", "demo", "--stacks", "mock-cpp", "--iterations", "2")
    assert outcome.code == PolystackError.exit_code
    assert "No space left on device: /results/x.png" in outcome.err
    assert "clean-cache" in outcome.err
    assert polystack("show", "1").code == 0

"""Too little memory or disk is told with the numbers, before anything is made."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from python_runner.common.checkup import Finding, State
from python_runner.common.errors import ModelError
from python_runner.common.locations import CACHE_VARIABLE
from python_runner.models.cards import require_model
from python_runner.models.checkup import ModelsCheckup
from python_runner.models.memory import require_memory

BIG = "gemma-2-2b-synthetic"


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))


def memory(monkeypatch: pytest.MonkeyPatch, available: float) -> None:
    monkeypatch.setattr(
        psutil, "virtual_memory", lambda: SimpleNamespace(available=int(available), total=int(4e10))
    )


def disk(monkeypatch: pytest.MonkeyPatch, free: float) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=int(free)))


def look() -> Finding:
    return next(f for f in ModelsCheckup(BIG).look() if f.subject == BIG)


def test_too_little_memory_is_refused_with_both_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    memory(monkeypatch, 2.5e9)
    with pytest.raises(ModelError, match=r"at least 5\.7 GB of memory, and 2\.5 GB are available"):
        require_memory(require_model(BIG))


def test_enough_memory_is_not_spoken_of(monkeypatch: pytest.MonkeyPatch) -> None:
    memory(monkeypatch, 6e9)
    require_memory(require_model(BIG))


def test_a_model_that_would_be_made_says_what_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    memory(monkeypatch, 2e10)
    disk(monkeypatch, 5e10)
    finding = look()
    assert (finding.state, finding.is_needed) == (State.LATER, True)
    assert "10.5 GB of disk" in finding.detail
    assert finding.expected_s > 0


def test_a_disk_that_is_too_small_is_in_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    memory(monkeypatch, 2e10)
    disk(monkeypatch, 3e9)
    finding = look()
    assert (finding.state, finding.is_needed) == (State.MISSING, True)
    assert "3.0 GB are free" in finding.detail


def test_the_tiny_model_is_always_there(monkeypatch: pytest.MonkeyPatch) -> None:
    memory(monkeypatch, 2e10)
    tiny = next(f for f in ModelsCheckup(BIG).look() if f.subject == "gemma-2-tiny")
    assert (tiny.state, tiny.is_needed) == (State.READY, False)

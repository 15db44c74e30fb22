"""`polystack clean-cache`: says what it frees, asks, and says what it freed."""

import sys
from pathlib import Path

import pytest

from python_runner import run
from python_runner.common.build.cache import RECIPE
from python_runner.common.build.cleaning import Scope, removals
from python_runner.common.locations import CACHE_VARIABLE
from tests.unit.cli.conftest import Polystack


@pytest.fixture
def builds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two builds of a kind, of which the newer one is used."""
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    folder = tmp_path / "cache" / "builds"
    for name in ("engine-old", "engine-new"):
        (folder / name).mkdir(parents=True)
        (folder / name / "program").write_bytes(b"x" * 2_000_000)
        (folder / name / RECIPE).write_text("{}")

    def plan(scope: Scope) -> object:
        return removals([folder / "engine-new"], scope)

    monkeypatch.setattr(run, "plan_cleaning", plan)
    return folder


def test_what_is_out_of_use_is_told_and_removed(polystack: Polystack, builds: Path) -> None:
    outcome = polystack("clean-cache", "--yes")
    assert outcome.code == 0
    assert "builds/engine-old: replaced by a newer build" in outcome.out
    assert "Removing this frees 2.0" in outcome.out
    assert "Freed 2.0" in outcome.out
    assert not (builds / "engine-old").exists()
    assert (builds / "engine-new").exists()
    assert "Nothing in it is out of use" in polystack("clean-cache", "--yes").out


def test_all_means_all_builds(polystack: Polystack, builds: Path) -> None:
    assert polystack("clean-cache", "--all", "--yes").code == 0
    assert not list(builds.glob("engine-*"))


def test_without_a_terminal_nothing_is_removed_unasked(polystack: Polystack, builds: Path) -> None:
    outcome = polystack("clean-cache")
    assert outcome.code == 2
    assert "--yes" in outcome.err
    assert (builds / "engine-old").exists()


@pytest.mark.parametrize(("answer", "is_kept"), [("n", True), ("y", False)])
def test_who_is_asked_decides(
    polystack: Polystack,
    builds: Path,
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    *,
    is_kept: bool,
) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("typer.confirm", lambda question: answer == "y")
    outcome = polystack("clean-cache")
    assert outcome.code == 0
    assert ("Nothing was removed" in outcome.out) is is_kept
    assert (builds / "engine-old").exists() is is_kept

"""`polystack upkeep` on mocks: what it prints, and what it makes of stacks that do not die."""

from __future__ import annotations

from pathlib import Path

from tests.unit.cli.conftest import Outcome, Polystack


def test_files_alone_make_a_table(polystack: Polystack, results: Path) -> None:
    outcome = polystack("upkeep", "--stacks", "mock-go,mock-rust")
    assert outcome.code == 0, outcome.err
    assert "mock Go" in outcome.out
    assert "mock Rust" in outcome.out
    assert not results.exists()


def test_runs_add_to_it(compared: Outcome, polystack: Polystack) -> None:
    outcome = polystack("upkeep", "--stacks", "mock-go", "--sources")
    assert outcome.code == 0, outcome.err
    assert "run 1: 2 loads" in outcome.out
    assert "never killed here" in outcome.out


def test_a_stack_that_nobody_has_is_a_mistake(polystack: Polystack) -> None:
    outcome = polystack("upkeep", "--stacks", "olama")
    assert outcome.code == 2
    assert "ollama" in outcome.err


def test_a_stack_that_cannot_be_killed_is_a_row_and_an_exit_code(polystack: Polystack) -> None:
    kill = ("upkeep", "--stacks", "mock-go", "--measure-recovery", "--times", "1")
    outcome = polystack(*kill, "--sources")
    assert outcome.code == 5
    assert "was not seen to come back" in outcome.out
    later = polystack("upkeep", "--stacks", "mock-go", "--sources")
    assert later.code == 0
    assert "too short" in later.out
    assert "No runs yet" in polystack("runs").out


def test_building_again_needs_a_name(polystack: Polystack) -> None:
    outcome = polystack("build", "--again")
    assert outcome.code == 2
    assert "--stacks" in outcome.err


def test_nothing_is_built_again_for_who_compiles_nothing(polystack: Polystack) -> None:
    outcome = polystack("build", "--again", "--stacks", "mock-go")
    assert outcome.code == 2
    assert "nothing is compiled for mock-go" in outcome.err

"""`polystack team` on stored runs of mocks."""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from tests.unit.cli.conftest import Outcome, Polystack

TEAM = """
name = "two"
title = "Two people"

[[people]]
number = 2
on_call = 1
languages = { Go = "expert" }
"""


@pytest.fixture
def team_file(tmp_path: Path) -> Path:
    path = tmp_path / "two.toml"
    path.write_text(TEAM)
    return path


def test_it_ranks_and_says_why(compared: Outcome, polystack: Polystack, team_file: Path) -> None:
    outcome = polystack("team", str(team_file), "--format", "terminal")
    assert outcome.code == 0, outcome.err
    words = " ".join(outcome.out.split())
    assert words.startswith("Two people mock Go fits this team best")
    assert "who can keep it running (100% against 0%)" in words
    assert "Nobody in this team knows C++ or Python or Rust" in words
    assert "polystack show 1" in outcome.out


def test_the_page_and_the_markdown_lead_to_the_run(
    compared: Outcome, polystack: Polystack, team_file: Path, results: Path
) -> None:
    outcome = polystack("team", str(team_file), "--format", "html,md", "--runs", "1")
    assert outcome.code == 0, outcome.err
    page = (results / "teams" / "two.html").read_text(encoding="utf-8")
    markdown = (results / "teams" / "two.md").read_text(encoding="utf-8")
    assert 'href="#run-1"' in page
    assert 'id="run-1"' in page
    for text in (page, markdown):
        assert "polystack show 1" in text
        assert f"polystack team {team_file} --runs 1" in text
    found = re.search(r'id="page-data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    stacks = json.loads(found[1])["decision"]["stacks"]
    assert {each["language"] for each in stacks} == {"C++", "Go", "Rust", "Python"}


def test_the_page_asks_nothing_of_the_network(
    compared: Outcome, polystack: Polystack, team_file: Path, results: Path
) -> None:
    polystack("team", str(team_file), "--format", "html")
    page = (results / "teams" / "two.html").read_text(encoding="utf-8")
    assert not re.search(r'(src|href)="(https?:)?//', page)


def test_a_target_that_no_stack_meets_names_the_nearest(
    compared: Outcome, polystack: Polystack, team_file: Path
) -> None:
    team_file.write_text(TEAM + "[serves]\ne2e_ms = 0.001\n")
    outcome = polystack("team", str(team_file), "--format", "terminal,html,md")
    assert outcome.code == 0
    assert "Nearest to the targets comes mock" in outcome.out


def test_without_a_run_of_many_users_it_says_what_to_type(
    compared: Outcome, polystack: Polystack, team_file: Path
) -> None:
    team_file.write_text(TEAM + "[serves]\nusers = 30\n")
    outcome = polystack("team", str(team_file), "--format", "terminal")
    assert "No run has 30 users at once" in outcome.out
    assert "--users 30" in " ".join(outcome.out.split())


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nobody"], "unknown team 'nobody'"),
        (["platform", "--format", "pdf"], "'pdf' is no format"),
        (["platform", "--runs", "7"], "7"),
    ],
)
def test_what_is_wrong_is_told(
    compared: Outcome, polystack: Polystack, arguments: list[str], told: str
) -> None:
    outcome = polystack("team", *arguments)
    assert outcome.code == 2
    assert told in outcome.err


def test_two_runs_of_one_stack_are_not_pooled(
    compared: Outcome, polystack: Polystack, team_file: Path
) -> None:
    polystack("compare", "demo", "--stacks", "mock-go", "--iterations", "2")
    outcome = polystack("team", str(team_file), "--runs", "1,2")
    assert outcome.code == 2
    assert "more than one of these runs compares mock-go" in outcome.err


def test_a_wrong_key_is_told_before_anything_else(polystack: Polystack, team_file: Path) -> None:
    team_file.write_text(TEAM + "[serves]\nuser = 3\n")
    outcome = polystack("team", str(team_file))
    assert outcome.code == 2
    assert "Did you mean 'users'?" in outcome.err


def test_without_a_file_and_a_terminal_it_says_what_to_name(
    polystack: Polystack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False, raising=False)
    outcome = polystack("team")
    assert outcome.code == 2
    assert "platform" in outcome.err


def test_without_a_run_it_says_what_to_run(
    compared: Outcome, polystack: Polystack, team_file: Path, results: Path
) -> None:
    outcome = polystack("team", str(team_file), "--results", str(results / "elsewhere"))
    assert outcome.code != 0
    assert outcome.err


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What the person at the terminal answers, in order; empty is Enter."""
    given: list[str] = []

    def prompt(_question: str, *, default: object, **_: object) -> object:
        answer = given.pop(0) if given else ""
        return answer or default

    monkeypatch.setattr(typer, "prompt", prompt)
    monkeypatch.setattr(typer, "confirm", lambda *_, **__: False)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    yield given
    assert given == []


def test_it_asks_and_writes_what_was_answered(
    compared: Outcome,
    polystack: Polystack,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    answers: list[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    answers += ["night watch", "3", "4", "2", "no", "fluent", "expert"]
    asked = polystack("team", "--format", "terminal")
    assert asked.code == 0, asked.err
    assert "at most 3" in asked.out
    assert "One of no/reads/writes/expert" in asked.out
    written = tomllib.loads((tmp_path / "team.toml").read_text(encoding="utf-8"))
    assert written["people"][0]["languages"] == {"Go": "expert"}
    again = polystack("team", "--format", "terminal")
    assert again.code == 0
    assert again.out.splitlines()[-4:] == asked.out.splitlines()[-4:]

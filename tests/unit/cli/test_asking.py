"""Ctrl-C is an interruption; an end of the input, or none at all, is not."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import NoReturn

import pytest
import typer

from python_runner.cli.asking import answered
from python_runner.common.build.cleaning import Removal
from python_runner.common.errors import UsageError
from python_runner.common.locations import cache_dir
from tests.unit.cli.conftest import Polystack


class Terminal(io.StringIO):
    """One at which somebody types this, and then Ctrl-D."""

    def isatty(self) -> bool:
        return True


def ask() -> bool:
    return answered(lambda: typer.confirm("Really?"), instead="Give --yes.")


@pytest.mark.parametrize("given", [io.StringIO(""), io.StringIO("perhaps\n"), None])
def test_nobody_answers(monkeypatch: pytest.MonkeyPatch, given: io.StringIO | None) -> None:
    monkeypatch.setattr(sys, "stdin", given)
    with pytest.raises(UsageError, match="nobody to answer") as raised:
        ask()
    assert raised.value.hint == "Give --yes."


def test_an_answer_from_a_pipe_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    assert ask()


def test_ctrl_c_at_a_question_is_an_interruption(
    polystack: Polystack, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Pressed(Terminal):
        def readline(self, *_: object) -> NoReturn:
            raise KeyboardInterrupt

    monkeypatch.setattr(sys, "stdin", Pressed())
    outcome = polystack("team")
    assert outcome.code == 130
    assert "interrupted" in outcome.err


def test_a_team_that_nobody_describes(
    polystack: Polystack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", Terminal("developers\n"))
    outcome = polystack("team")
    assert outcome.code == 2
    assert "nobody to answer" in outcome.err
    assert "interrupted" not in outcome.err
    assert not list(tmp_path.glob("team.toml"))


def test_another_end_of_input_is_not_swallowed(
    polystack: Polystack, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(**_: object) -> None:
        raise EOFError("a pipe of ours")

    monkeypatch.setattr("python_runner.run.examine", broken)
    with pytest.raises(EOFError, match="a pipe of ours"):
        polystack("doctor")


@pytest.mark.parametrize("command", ["team", "clean-cache"])
def test_without_any_input_nothing_is_asked(
    polystack: Polystack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", None)
    monkeypatch.setattr("python_runner.run.plan_cleaning", out_of_use)
    outcome = polystack(command)
    assert outcome.code == 2


def out_of_use(_scope: object) -> list[Removal]:
    return [Removal(path=cache_dir() / "builds" / "old", reason="replaced")]

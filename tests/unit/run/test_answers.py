"""The look at the answers of a stored run, with mocks and a reference on paper."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from python_runner.common.errors import UsageError
from python_runner.common.progress import SilentProgress
from python_runner.engines import mock
from python_runner.engines.contract import LaunchSettings
from python_runner.engines.mock import MockEngine, MockModel, MockScript
from python_runner.engines.scoring import ScoreRequest, TokenScores
from python_runner.run import answers
from python_runner.run.answers import can_be_checked, check_answers
from python_runner.run.compare import compare
from python_runner.store import Store, read_frames
from tests.unit.builders import study
from tests.unit.cli.conftest import Polystack

SURE = 12.0
"""Nats by which the reference's best token is ahead."""


class PaperModel(MockModel):
    """Finds what a mock answers the best, but for every token plus `shift`."""

    shift = 0

    def score(self, request: ScoreRequest) -> TokenScores:
        ids = request.answer_ids
        best = tuple(one + self.shift for one in ids)
        return TokenScores(
            logprobs=(-0.01 if not self.shift else -SURE,) * len(ids),
            top_ids=tuple((one, one + 1) for one in best),
            top_logprobs=((-0.01, -SURE),) * len(ids),
        )


class PaperReference(MockEngine):
    def __init__(self, *, shift: int = 0) -> None:
        spec = replace(mock.PYTHON.spec, name="mock-python", scores=True)
        super().__init__(spec, MockScript())
        self._shift = shift

    def start(self, settings: LaunchSettings, log: Path) -> MockModel:
        made = PaperModel(self.spec, MockScript(), settings)
        made.shift = self._shift
        return made


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "polystack.sqlite") as opened:
        yield opened


@pytest.fixture(autouse=True)
def on_paper(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "REFERENCE", "mock-python")
    monkeypatch.setattr(mock, "PYTHON", PaperReference())


def checked(store: Store, **options: bool) -> str:
    chosen = study(stacks=("mock-cpp", "mock-rust"), iterations=3, warmup=1)
    run = compare(chosen, store, logs=store.path.parent, progress=SilentProgress())
    return check_answers(
        store, run.run_id, logs=store.path.parent, progress=SilentProgress(), **options
    )


def test_every_timed_answer_is_looked_at(store: Store) -> None:
    assert checked(store) == ""
    found = read_frames(store).answers
    assert len(found.answers) == 6
    assert set(found.answers["tokens_from"]) == {"engine"}
    assert list(found.checks["reference_version"]) == ["mock 1"]


def test_too_little_memory_is_told_with_the_numbers_and_kept(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert checked(store) == ""
    little = SimpleNamespace(available=1_000_000_000, total=10**10)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: little)
    reason = check_answers(store, 1, logs=store.path.parent, progress=SilentProgress())
    assert "the reference needs about 1.5 GB of memory, and 1.0 GB are available" in reason
    assert list(read_frames(store).answers.checks["error"]) == [reason]


def test_another_model_than_then_is_refused(store: Store) -> None:
    assert checked(store) == ""
    with store.transaction() as connection:
        connection.execute("UPDATE conditions SET source_sha256 = 'other'")
    reason = check_answers(store, 1, logs=store.path.parent, progress=SilentProgress())
    assert "is not what it was in run 1" in reason


def test_a_reference_that_cannot_start_is_a_reason(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = MockEngine(mock.PYTHON.spec, MockScript(crash_at_start=True))
    monkeypatch.setattr(mock, "PYTHON", broken)
    assert "never became ready" in checked(store)


def test_a_run_without_stacks_is_refused(store: Store) -> None:
    with store.transaction() as connection:
        connection.execute(
            "INSERT INTO runs (study, created, status, study_json, host_json, program_version)"
            " VALUES ('x', '', 'interrupted', '{}', '{}', '1')"
        )
    with pytest.raises(UsageError, match="before its first stack"):
        check_answers(store, 1, logs=store.path.parent, progress=SilentProgress())


def test_mocks_alone_are_not_looked_at_without_being_asked() -> None:
    assert not can_be_checked(study(stacks=("mock-cpp", "mock-go")))
    assert not can_be_checked(study(stacks=("mock-cpp@threads=1", "mock-go")))
    assert can_be_checked(study(stacks=("mock-cpp", "llama.cpp@threads=1")))


def test_the_command_strikes_out_what_is_wrong(
    polystack: Polystack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "can_be_checked", lambda study: True)
    monkeypatch.setattr(mock, "PYTHON", PaperReference(shift=1))
    stacks = ("--stacks", "mock-cpp,mock-rust", "--iterations", "2")
    outcome = polystack("compare", "demo", *stacks)
    assert outcome.code == 5
    printed = " ".join(outcome.out.split())  # lines are broken by their length
    assert "struck out" in printed
    assert "48 of 48 tokens are not what the model says" in printed
    shown = polystack("answers")
    assert shown.code == 5
    assert "wrong" in shown.out
    assert polystack("compare", "demo", *stacks, "--no-answers").code == 0


def test_the_command_shows_what_is_right(
    polystack: Polystack, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert polystack("compare", "demo", "--stacks", "mock-cpp", "--iterations", "2").code == 0
    shown = polystack("answers")
    assert shown.code == 0
    assert "right" in shown.out
    assert "48 of 48 best" in " ".join(polystack("show").out.split())
    exported = polystack("export", "--format", "json")
    assert "samples-answers.json" in exported.out


def test_ablations_and_changes_leave_out_what_is_wrong(
    polystack: Polystack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "can_be_checked", lambda study: True)
    stacks = ("--stacks", "mock-cpp,mock-rust", "--iterations", "2", "--threads", "2")
    ablate = ("why", "1", "--only", "threads")
    assert polystack("compare", "demo", *stacks).code == 0
    assert polystack(*ablate).code == 0
    monkeypatch.setattr(mock, "PYTHON", PaperReference(shift=1))
    outcome = polystack(*ablate)
    assert outcome.code == 5
    printed = " ".join(outcome.out.split())
    assert "could not be tested. mock C++, 1 thread is struck out, its answers are" in printed
    assert polystack(*ablate, "--no-answers").code == 0
    assert polystack("compare", "demo", *stacks).code == 5
    changed = polystack("diff", "1", "latest", "--fail-if-slower", "5%")
    assert changed.code == 6
    assert "its answers are wrong in run 5" in changed.err
    nothing = polystack("why", "latest")
    assert nothing.code == 2
    assert "no complete request that counts" in nothing.err

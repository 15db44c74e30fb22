"""What a look at the answers found is kept raw, and the last look counts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from python_runner.engines.contract import EngineDescription
from python_runner.engines.scoring import TokenScores
from python_runner.measure.answers.answer import (
    PassageScore,
    ScoredAnswer,
    TokensFrom,
    UnreadAnswer,
)
from python_runner.store import AnswerCheckRecorder, RunRecorder, Store, last_check, read_frames
from tests.unit import builders

SCORES = TokenScores(
    logprobs=(-0.1, -2.5),
    top_ids=((7, 9), (8, 3)),
    top_logprobs=((-0.1, -3.0), (-0.2, -2.5)),
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "polystack.sqlite") as opened:
        with RunRecorder(opened, builders.study(), {}) as run:
            run.begin(builders.condition())
            for number in (1, 2):
                run.record(builders.sample(number, builders.generation()))
            run.finish(peak_memory_bytes=None, error="")
        yield opened


def begin(store: Store) -> AnswerCheckRecorder:
    recorder = AnswerCheckRecorder(store, 1, builders.spec())
    recorder.stack(1, 8)
    recorder.stack(None, 16)
    return recorder


def scored(sample_id: int) -> ScoredAnswer:
    return ScoredAnswer(
        sample_id=sample_id,
        token_ids=(7, 3),
        tokens_from=TokensFrom.CUT,
        scores=SCORES,
        greedy_ids=(7, 8),
    )


def test_a_run_that_nobody_looked_at_has_no_answers(store: Store) -> None:
    found = read_frames(store).answers
    assert found.checks.empty
    assert found.stacks.empty
    assert found.answers.empty
    assert last_check(store, 1) is None


def test_what_was_found_comes_back(store: Store) -> None:
    recorder = begin(store)
    recorder.reference(EngineDescription(version="5.1", build={"torch": "2"}))
    recorder.passage(None, PassageScore(logprobs=(-1.0, -2.0)))
    recorder.passage(1, PassageScore(logprobs=(), error="it crashed"))
    recorder.answer(scored(1))
    recorder.answer(UnreadAnswer(sample_id=2, reason="no tokens"))
    recorder.finish("")

    found = read_frames(store).answers
    (check,) = found.checks.to_dict(orient="records")
    assert (check["reference_version"], check["build"]) == ("5.1", {"torch": "2"})
    is_reference = found.stacks["condition_id"].isna()
    (reference,) = found.stacks[is_reference].to_dict(orient="records")
    (judged,) = found.stacks[~is_reference].to_dict(orient="records")
    assert reference["logprobs"].tolist() == [-1.0, -2.0]
    assert (judged["error"], judged["bits"]) == ("it crashed", 8)
    first, second = found.answers.to_dict(orient="records")
    assert (first["iteration"], first["tokens_from"]) == (1, "cut")
    assert first["token_ids"].tolist() == [7, 3]
    assert first["best_ids"].tolist() == [7, 8]
    assert first["logprobs"].tolist() == [-0.1, -2.5]
    assert first["second_logprobs"].tolist() == [-3.0, -2.5]
    assert (second["error"], len(second["token_ids"])) == ("no tokens", 0)


def test_the_last_look_that_came_to_its_end_counts(store: Store) -> None:
    for reason in ("too little memory", ""):
        recorder = begin(store)
        recorder.answer(scored(1))
        recorder.finish(reason)
    begin(store).answer(scored(2))  # broken off

    found = read_frames(store).answers
    assert list(found.checks["error"]) == [""]
    assert list(found.answers["sample_id"]) == [1]
    assert last_check(store, 1) == (2, "")

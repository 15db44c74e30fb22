"""Answers that may end: E2E latency compares only where they are as long."""

from typing import Any

import pytest

from python_runner.analyse.compare import pairs_of_run
from python_runner.analyse.latency import request_metrics
from python_runner.analyse.lengths import asks_unevenly, mean_lengths, uneven_runs
from python_runner.analyse.overview import runs_overview
from python_runner.analyse.summary import summarise
from tests.golden.frames import LLAMA_CPP, OLLAMA, TRANSFORMERS, Frames, build_frames, rename

ENDS = {2: 3, 5: 6}
BOTH = (rename(LLAMA_CPP, early_stops=ENDS), rename(OLLAMA, early_stops=ENDS, e2e_s=15.0))
UNEVEN = (rename(LLAMA_CPP, early_stops=ENDS), rename(OLLAMA, early_stops={2: 4}, e2e_s=15.0))


def ending(*stacks: Any, **changes: Any) -> Frames:
    """A run in which the model was allowed to end its answers."""
    frames = build_frames(stacks, **changes)
    return frames._replace(samples=frames.samples.assign(may_end=True))


def test_an_answer_that_ends_is_complete_where_it_may() -> None:
    frames = ending(*BOTH)
    row = summarise(frames.samples, frames.conditions).iloc[0]
    assert (row["n"], row["n_early_stops"], row["n_failed"]) == (10, 0, 0)
    assert row["output_tokens"] == pytest.approx((8 * 8 + 3 + 6) / 10)
    exact = build_frames(BOTH)
    assert summarise(exact.samples, exact.conditions).iloc[0]["n_early_stops"] == 2


def test_fewer_tokens_without_an_end_stay_a_failure_and_an_empty_answer_has_no_figure() -> None:
    frames = ending(rename(LLAMA_CPP, early_stops=ENDS))
    cut = frames.samples.assign(stop="length")
    assert set(request_metrics(cut)["outcome"]) == {"complete", "failed"}
    empty = ending(rename(LLAMA_CPP, early_stops={4: 0}))
    row = summarise(empty.samples, empty.conditions).iloc[0]
    assert (row["n"], row["n_early_stops"]) == (9, 1)


def test_answers_of_one_length_are_compared_by_e2e_latency() -> None:
    frames = ending(*BOTH)
    pairs = pairs_of_run(*frames)
    assert set(pairs["verdict"]) == {"slower"}
    assert uneven_runs(request_metrics(frames.samples)) == frozenset()
    assert set(summarise(frames.samples, frames.conditions)["ratio_to_fastest"]) == {1.0}


def test_answers_of_different_lengths_are_not_but_by_tpot_they_are() -> None:
    frames = ending(*UNEVEN)
    (row,) = pairs_of_run(*frames).to_dict(orient="records")
    assert row["verdict"] == "not known"
    assert "different numbers of tokens" in row["reason"]
    (by_token,) = pairs_of_run(*frames, metric="tpot_ms").to_dict(orient="records")
    assert by_token["verdict"] == "slower"


def test_no_stack_is_fastest_by_answers_of_different_lengths() -> None:
    frames = ending(*UNEVEN)
    summary = summarise(frames.samples, frames.conditions)
    assert summary["ratio_to_fastest"].isna().all()
    assert list(summary["stack"]) == ["llama.cpp", "ollama"], "the lower TPOT first"
    (row,) = runs_overview(*frames).to_dict(orient="records")
    assert row["fastest"] == ""


def test_a_question_that_one_stack_failed_is_left_out_of_both() -> None:
    """The questions are not the same work: what is left would be another average."""
    whole, failing = rename(LLAMA_CPP, noise=0.0), rename(LLAMA_CPP, name="b", noise=0.0)
    failing = rename(failing, failures={3: "boom", 4: "boom"})
    frames = build_frames([whole, failing])
    lengths = frames.samples["iteration"].map(lambda number: 10 * number)
    samples = frames.samples.assign(reference_prompt_tokens=lengths)
    longer = [
        row["chunk_ns"] + row["iteration"] * 10**9 for row in samples.to_dict(orient="records")
    ]
    uneven = samples.assign(chunk_ns=longer)
    assert asks_unevenly(uneven)
    (row,) = pairs_of_run(uneven, frames.conditions, frames.runs).to_dict(orient="records")
    assert row["ratio"] == pytest.approx(1.0)


def test_how_long_answers_are_is_told_where_they_may_end() -> None:
    frames = ending(*UNEVEN, TRANSFORMERS)
    rows = mean_lengths(request_metrics(frames.samples)).to_dict(orient="records")
    assert [row["title"] for row in rows] == ["llama.cpp", "Ollama", "transformers"]
    assert rows[0] | {"condition_id": 0} == {
        "condition_id": 0,
        "title": "llama.cpp",
        "n": 10,
        "mean": pytest.approx(7.3),
        "shortest": 3,
        "longest": 8,
    }
    assert mean_lengths(request_metrics(build_frames().samples)).empty

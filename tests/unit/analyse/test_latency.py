"""The figures of one request, against numbers worked out by hand."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from python_runner.analyse.latency import (
    Outcome,
    arrival_gaps_ms,
    judge,
    request_metrics,
    time_per_output_token_ms,
)
from tests.golden.frames import LLAMA_CPP, build_frames

MS = 1_000_000


def request(stamps_ms: list[float], **changes: Any) -> dict[str, Any]:
    stamps = np.array([1_000 * MS + round(stamp * MS) for stamp in stamps_ms], dtype=np.int64)
    sample = {
        "requested_ns": 1_000 * MS,
        "chunk_ns": stamps,
        "chunk_tokens": np.ones(len(stamps), dtype=np.int64),
        "output_tokens": len(stamps),
        "requested_tokens": len(stamps),
        "stop": "length",
        "error": "",
    }
    return sample | changes


def figures(sample: dict[str, Any]) -> dict[Any, Any]:
    return request_metrics(pd.DataFrame([sample])).to_dict(orient="records")[0]


def test_the_definitions() -> None:
    found = figures(request([100, 130, 150, 190]))
    assert found["ttft_ms"] == 100
    assert found["e2e_ms"] == 190
    assert found["tpot_ms"] == (190 - 100) / 3
    assert found["decode_tokens_per_s"] == pytest.approx(1000 * 3 / 90)
    assert found["output_tokens_per_s"] == pytest.approx(1000 * 4 / 190)
    assert found["itl_ms"].tolist() == [30, 20, 40]
    assert found["outcome"] == "complete"


def test_e2e_latency_ends_at_the_last_token_not_when_the_connection_closes() -> None:
    sample = request([100, 200]) | {"ended_ns": 1_900 * MS}
    assert figures(sample)["e2e_ms"] == 200


def test_chunks_of_one_read_are_one_arrival() -> None:
    found = figures(request([100, 130, 130, 130, 160]))
    assert found["itl_ms"].tolist() == [30, 30]
    assert found["tpot_ms"] == 60 / 4


def test_tokens_of_the_first_chunk_are_not_counted_into_tpot() -> None:
    stamps = request([100, 150, 200])["chunk_ns"]
    assert time_per_output_token_ms(stamps, np.array([3, 1, 1]), 5) == 50
    unknown = np.zeros(3, dtype=np.int64)
    assert time_per_output_token_ms(stamps, unknown, 5) == 25


def test_one_token_has_no_tpot() -> None:
    found = figures(request([100]))
    assert found["e2e_ms"] == 100
    assert np.isnan(found["tpot_ms"])
    assert np.isnan(found["decode_tokens_per_s"])
    assert found["itl_ms"].size == 0


def test_an_early_stop_has_no_e2e_latency() -> None:
    found = figures(request([100, 130], requested_tokens=5, stop="end-of-sequence"))
    assert found["outcome"] == "early stop"
    assert found["ttft_ms"] == 100
    assert found["tpot_ms"] == 30
    assert np.isnan(found["e2e_ms"])
    assert np.isnan(found["output_tokens_per_s"])


def test_an_end_of_sequence_at_the_last_token_is_complete() -> None:
    found = figures(request([100, 130], stop="end-of-sequence"))
    assert found["outcome"] == "complete"


@pytest.mark.parametrize(
    ("sample", "reason"),
    [
        (request([100, 130], error="timed out"), "timed out"),
        (request([100, 130], requested_tokens=5), "2 tokens, where 5 were asked for"),
        (request([100, 130], requested_tokens=1), "2 tokens, where 1 were asked for"),
        (
            request([100, 130], requested_tokens=1, stop="end-of-sequence"),
            "2 tokens, where 1 were asked for",
        ),
        (request([], requested_tokens=2, output_tokens=2), "no chunk carried content"),
        (request([100, 90]), "time stamps run backwards"),
        (request([-5, 90]), "time stamps run backwards"),
    ],
)
def test_a_failure_has_a_reason_and_no_figures(sample: dict[str, Any], reason: str) -> None:
    assert judge(sample) == (Outcome.FAILED, reason)
    found = figures(sample)
    assert found["failure"] == reason
    assert np.isnan([found["ttft_ms"], found["tpot_ms"], found["e2e_ms"]]).all()
    assert found["itl_ms"].size == 0


def test_an_answer_that_ends_at_once_is_an_early_stop_without_figures() -> None:
    found = figures(request([], requested_tokens=5, stop="end-of-sequence"))
    assert found["outcome"] == "early stop"
    assert np.isnan(found["ttft_ms"])


def test_the_frame_that_came_in_is_left_as_it_was() -> None:
    samples = build_frames([LLAMA_CPP]).samples
    before = list(samples.columns)
    measured = request_metrics(samples)
    assert list(samples.columns) == before
    assert len(measured) == len(samples)


def test_no_samples_are_no_figures() -> None:
    empty = build_frames([LLAMA_CPP]).samples.iloc[:0]
    measured = request_metrics(empty)
    assert measured.empty
    assert "e2e_ms" in measured


@given(st.lists(st.integers(1, 10**10), min_size=2, max_size=40))
def test_figures_hang_together(steps: list[int]) -> None:
    stamps = np.cumsum([1_000 * MS, *steps])[1:]
    sample = request([1.0] * len(stamps), chunk_ns=stamps)
    found = figures(sample)
    assert found["ttft_ms"] <= found["e2e_ms"]
    assert found["itl_ms"].sum() == pytest.approx(found["e2e_ms"] - found["ttft_ms"], abs=1e-3)
    assert found["itl_ms"].mean() == pytest.approx(found["tpot_ms"], abs=1e-3)
    assert (arrival_gaps_ms(stamps) > 0).all()

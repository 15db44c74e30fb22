"""What a level's row says, against loads whose truth is known."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from python_runner.analyse.load.errors import errors_by_kind
from python_runner.analyse.load.goodput import goodput, meets
from python_runner.analyse.load.levels import summarise_levels
from python_runner.analyse.load.request import request_figures
from tests.unit.load_builders import (
    FakeRequest,
    closed,
    figures_of,
    level_rows,
    load_frames,
    opened,
    steady,
)


def test_a_steady_load() -> None:
    row = level_rows(closed(4, warmup=4), steady(4, 20, ttft=50, gap=10, tokens=5))
    assert (row["n_requests"], row["n_inside"], row["n"], row["n_warmup"]) == (80, 76, 76, 4)
    assert row["inside_share"] == 0.95
    for percentile in (50, 90, 99):
        assert row[f"ttft_p{percentile}_ms"] == 50
        assert row[f"itl_p{percentile}_ms"] == row[f"tpot_p{percentile}_ms"] == 10
        assert row[f"e2e_p{percentile}_ms"] == 90
    assert bool(row["ttft_p90_sure"])
    assert not row["ttft_p99_sure"]
    # Four users, each 5 tokens in 90 ms.
    assert row["tokens_per_s"] == pytest.approx(4 * 5 / 0.09)
    assert row["requests_per_s"] == pytest.approx(4 / 0.09)
    # Each user's answer is between its first and its last token for 40 of its 90 ms.
    assert row["decoding_at_once"] == pytest.approx(4 * 40 / 90)
    assert row["client_cpu_share"] == pytest.approx(0.025)
    assert (row["window_start_s"], row["window_end_s"]) == (0.09, 1.8)


def test_a_stall_shows_in_the_percentiles_of_an_open_loop_and_not_in_the_naive_count() -> None:
    """The server stands still from 5 s to 7 s; a client with one connection sends late."""
    free, requests = 0.0, []
    for due in range(0, 10_000, 100):
        sent = max(free, due)
        first = sent + 20 if not 5_000 <= sent < 7_000 else 7_020
        free = first + 10
        requests.append(FakeRequest(scheduled=due, sent=sent, chunks=[first, free]))
    row = level_rows(opened(), requests)
    assert row["ttft_p50_ms"] < 100
    assert 1_000 < row["ttft_p90_ms"] < 2_100
    assert row["ttft_p99_ms"] == pytest.approx(2_000, abs=100)
    assert row["naive_ttft_p90_ms"] == 20
    assert row["lateness_max_ms"] > 1_500


def test_unknown_gaps_and_chunks_of_several_tokens_are_told() -> None:
    requests = [
        FakeRequest(
            user=user,
            sent=turn * 100.0,
            chunks=[turn * 100 + when for when in (50.0, 70.0, 70.0, 90.0)],
            reads=[0, 1, 1, 2],
            tokens=[2, 2, 2, 2],
        )
        for turn in range(5)
        for user in range(2)
    ]
    row = level_rows(closed(2), requests)
    assert row["unknown_gap_share"] == 0.25
    assert row["itl_p50_ms"] == 20
    assert row["chunk_is_not_token_share"] == 1
    assert row["tokens_per_chunk"] == 2
    assert row["n_at_once"] == 0


def test_answers_that_came_in_one_read_are_counted() -> None:
    requests = [
        FakeRequest(
            user=user,
            sent=turn * 100.0,
            chunks=[turn * 100 + when for when in (70.0, 70.0, 70.0, 70.0 + user)],
            reads=[0, 0, 0, user],
        )
        for turn in range(5)
        for user in range(2)
    ]
    row = level_rows(closed(2), requests)
    assert row["n_at_once"] == row["n_answers"] == row["n_inside"] > 0


def test_failures_stop_no_clock_and_bring_no_tokens() -> None:
    failing = [
        FakeRequest(
            user=1, sent=90.0 * turn, chunks=(), error_kind="status", ended=90.0 * turn + 90
        )
        for turn in range(10)
    ]
    good = [FakeRequest(sent=one.sent, chunks=one.chunks) for one in steady(1, 10)]
    both = [one for pair in zip(good, failing, strict=True) for one in pair]
    row = level_rows(closed(2), both, {"ttft": 60.0})
    assert row["n_failed"] == 10
    assert row["tokens_per_s"] == pytest.approx(5 / 0.09)
    assert row["goodput_share"] == 0.5
    assert row["goodput_per_s"] == pytest.approx(0.5 * row["n_inside"] / 0.81)


def test_a_level_without_requests_keeps_its_row() -> None:
    row = level_rows(closed(2), [])
    assert row["n_requests"] == row["n"] == 0
    assert row["lack"]
    assert np.isnan([row["ttft_p50_ms"], row["tokens_per_s"], row["inside_share"]]).all()


def test_a_level_that_never_ended_has_the_figures_of_what_was_kept() -> None:
    requests = steady(2, 5)
    whole = level_rows(closed(2), requests)
    frames = load_frames((closed(2), requests), is_over=False)
    figures = request_figures(frames.load_requests, frames.load_levels)
    row = summarise_levels(figures, frames.load_levels).iloc[0]
    for name in ("n", "ttft_p50_ms", "tokens_per_s", "window_start_s", "window_end_s"):
        assert row[name] == whole[name]
    assert np.isnan(row["client_cpu_share"])
    assert "it has no end" in row["error"]
    assert not whole["error"]


def test_no_levels_at_all() -> None:
    frames = load_frames()
    figures = request_figures(frames.load_requests, frames.load_levels)
    summary = summarise_levels(figures, frames.load_levels)
    assert summary.empty
    assert {"ttft_p99_ms", "tokens_per_s", "lack"} <= set(summary)


def test_the_clients_own_error_stands_beside_every_latency() -> None:
    row = level_rows(closed(2), steady(2, 5, tokens=5))
    assert row["ttft_p50_own_error_ms"] == 0.15
    assert row["ttft_p99_own_error_ms"] == row["e2e_p90_own_error_ms"] == 0.9
    assert row["itl_p99_own_error_ms"] == 0.6
    assert row["tpot_p50_own_error_ms"] == pytest.approx(2 * 0.15 / 4)


def test_the_engines_own_time_is_compared_request_by_request() -> None:
    requests = [
        FakeRequest(sent=90.0 * turn, chunks=one.chunks, timings={"predicted_ms": 39.0 + turn % 2})
        for turn, one in enumerate(steady(1, 10))
    ]
    row = level_rows(closed(1), requests)
    assert row["decode_ms"] == 40
    assert row["decode_difference_ms"] == 40 - row["engine_decode_ms"]
    assert row["n_engine_times"] == row["n"]


def test_errors_are_counted_by_kind() -> None:
    rows = figures_of(
        FakeRequest(chunks=(), error_kind="status", status=429, error="slow down"),
        FakeRequest(),
        FakeRequest(chunks=(), error_kind="status", status=429, error="again"),
        FakeRequest(chunks=(), error_kind="timeout", status=0),
        FakeRequest(chunks=(), error_kind="cancelled"),
    )
    found = errors_by_kind(rows).to_dict(orient="records")
    assert [(one["kind"], one["status"], one["count"], one["example"]) for one in found] == [
        ("status", 429, 2, "slow down"),
        ("timeout", 0, 1, ""),
    ]
    assert errors_by_kind(rows.iloc[1:2]).empty


TARGETS = st.dictionaries(st.sampled_from(["ttft", "itl", "tpot", "e2e"]), st.floats(0.5, 200))


def a_few() -> pd.DataFrame:
    return figures_of(
        FakeRequest(),
        FakeRequest(chunks=(20, 120, 121, 122)),
        FakeRequest(chunks=(90,), output_tokens=1),
        FakeRequest(chunks=(50, 60), stop="end-of-sequence"),
        FakeRequest(chunks=(), error_kind="timeout"),
        FakeRequest(chunks=(50,), error_kind="cancelled"),
    )


@settings(max_examples=40)
@given(TARGETS, TARGETS)
def test_more_or_harder_targets_are_never_met_more_often(
    targets: dict[str, float], more: dict[str, float]
) -> None:
    rows = a_few()
    both = {name: min(targets.get(name, np.inf), more.get(name, np.inf)) for name in targets | more}
    assert not (meets(rows, both) & ~meets(rows, targets)).any()


@settings(max_examples=40)
@given(TARGETS.filter(bool), st.floats(0.1, 100))
def test_goodput_is_a_share_of_what_was_asked_and_not_cut_off(
    targets: dict[str, float], seconds: float
) -> None:
    rows = a_few()
    found = goodput(rows, targets, seconds)
    asked = len(rows) - (targets.get("ttft", 100) >= 50 and targets.get("e2e", 100) >= 50)
    assert found.per_s * seconds == pytest.approx(found.share * asked)
    assert found.per_s * seconds == pytest.approx(meets(rows, targets).sum())


def test_a_request_that_was_cut_off_is_a_miss_only_if_it_had_missed_by_then() -> None:
    rows = figures_of(
        FakeRequest(),
        FakeRequest(chunks=(90,), error_kind="cancelled", ended=95),
        FakeRequest(chunks=(), error_kind="cancelled", ended=40),
        FakeRequest(chunks=(), error_kind="cancelled", ended=70),
        FakeRequest(chunks=(50,), error_kind="cancelled", ended=95),
    )
    assert goodput(rows, {"ttft": 60.0}, 1.0).share == pytest.approx(1 / 3)
    assert goodput(rows, {"e2e": 90.0}, 1.0).share == pytest.approx(1 / 3)
    assert goodput(rows, {"ttft": 95.0, "itl": 50.0}, 1.0).share == 1


def test_goodput_needs_a_target() -> None:
    assert np.isnan(goodput(a_few(), {}, 1.0).share)


def test_an_answer_in_one_piece_has_no_gap_that_is_too_long() -> None:
    rows = figures_of(FakeRequest(chunks=(90,), output_tokens=1))
    assert meets(rows, {"itl": 1, "tpot": 1}).all()
    assert not meets(rows, {"e2e": 80}).any()

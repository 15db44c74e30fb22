"""The figures of single requests, against what was put in."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.load_builders import FakeRequest, closed, figures_of, opened


def test_a_plain_request() -> None:
    row = figures_of(FakeRequest(sent=100, chunks=[150, 160, 172, 180])).iloc[0]
    assert row["outcome"] == "complete"
    assert row["ttft_ms"] == row["naive_ttft_ms"] == 50
    assert row["e2e_ms"] == 80
    assert row["tpot_ms"] == 10
    assert row["itl_ms"].tolist() == [10, 12, 8]
    assert row["lateness_ms"] == 0
    assert not row["chunk_is_not_token"]


def test_an_open_loop_counts_from_when_the_request_was_due() -> None:
    row = figures_of(
        FakeRequest(scheduled=100, sent=2100, chunks=[2150, 2160]), level=opened()
    ).iloc[0]
    assert row["ttft_ms"] == 2050
    assert row["naive_ttft_ms"] == 50
    assert row["e2e_ms"] == 2060
    assert row["lateness_ms"] == 2000


def test_opening_a_connection_is_not_the_clients_lateness_and_stands_apart() -> None:
    row = figures_of(
        FakeRequest(scheduled=0, sent=33, connect=30, tls=20, chunks=[80, 90]), level=opened()
    ).iloc[0]
    assert (row["connect_ms"], row["tls_ms"]) == (30, 20)
    assert row["lateness_ms"] == 3
    assert row["ttft_ms"] == 80


def test_chunks_of_one_read_have_no_gap() -> None:
    row = figures_of(FakeRequest(chunks=[50, 70, 70, 70, 90], reads=[4, 5, 5, 5, 6])).iloc[0]
    assert row["itl_ms"].tolist() == [20, 20]
    assert row["n_unknown_gaps"] == 2
    assert row["tpot_ms"] == 10


def test_chunks_of_several_tokens_give_the_right_tpot_and_a_mark() -> None:
    chunks = [50 + 40.0 * index for index in range(25)]
    known = figures_of(FakeRequest(chunks=chunks, tokens=[4] * 25)).iloc[0]
    counted = figures_of(FakeRequest(chunks=chunks, tokens=[0] * 25, output_tokens=100)).iloc[0]
    for row in (known, counted):
        assert row["tpot_ms"] == pytest.approx(10)
        assert row["chunk_is_not_token"]
        assert row["tokens"] == 100


def test_a_counted_mark_of_the_end_makes_no_chunk_of_several_tokens() -> None:
    row = figures_of(FakeRequest(tokens=[0] * 4, output_tokens=5)).iloc[0]
    assert not row["chunk_is_not_token"]


def test_tokens_that_nobody_counted_give_no_tpot() -> None:
    row = figures_of(FakeRequest(tokens=[0] * 4, output_tokens=-1)).iloc[0]
    assert np.isnan(row["tpot_ms"])
    assert row["ttft_ms"] == 50


def test_reasoning_counts_and_is_marked() -> None:
    row = figures_of(FakeRequest(reasoning=2)).iloc[0]
    assert row["n_reasoning_chunks"] == 2
    assert row["ttft_ms"] == 50


def test_the_first_requests_are_warm_up() -> None:
    rows = figures_of(*[FakeRequest()] * 5, level=closed(warmup=2))
    assert rows["is_warmup"].tolist() == [True, True, False, False, False]


@pytest.mark.parametrize(
    ("request_", "outcome", "kind"),
    [
        (FakeRequest(error_kind="status", status=429, chunks=()), "failed", "status"),
        (FakeRequest(error_kind="cancelled", chunks=(50, 60)), "cut off", ""),
        (FakeRequest(chunks=()), "failed", "empty"),
        (FakeRequest(sent=60), "failed", "time-stamps"),
        (FakeRequest(chunks=(50, 80, 70, 90)), "failed", "time-stamps"),
        (FakeRequest(chunks=(50, 60, 70)), "failed", "wrong-count"),
        (FakeRequest(chunks=(50, 60, 70, 80, 90)), "failed", "wrong-count"),
        (FakeRequest(chunks=(50, 60), stop="end-of-sequence"), "early stop", ""),
        (FakeRequest(), "complete", ""),
    ],
)
def test_outcomes(request_: FakeRequest, outcome: str, kind: str) -> None:
    row = figures_of(request_, level=closed(new_tokens=4)).iloc[0]
    assert (row["outcome"], row["failure_kind"]) == (outcome, kind)
    has_figures = outcome in ("complete", "early stop")
    assert np.isfinite(row["ttft_ms"]) == has_figures
    assert np.isfinite(row["e2e_ms"]) == (outcome == "complete")
    assert bool(row["itl_ms"].size) == has_figures
    assert bool(row["failure"]) == (kind not in ("", "status"))


def test_a_request_that_was_never_sent_has_no_lateness() -> None:
    row = figures_of(
        FakeRequest(scheduled=5, sent=0, chunks=(), error_kind="connect"), level=opened()
    ).iloc[0]
    assert np.isnan(row["lateness_ms"])


@pytest.mark.parametrize(
    "timings", [{"eval_duration_ns": 29e6, "eval_count": 4.0}, {"predicted_ms": 29.0}]
)
def test_the_engines_own_decode_time_beside_ours(timings: dict[str, float]) -> None:
    rows = figures_of(
        FakeRequest(timings=timings),
        FakeRequest(timings=timings, stop="end-of-sequence"),
        FakeRequest(),
    )
    assert rows["decode_ms"].tolist() == [30, 30, 30]
    assert rows["engine_decode_ms"].fillna(-1).tolist() == [29, -1, -1]


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(st.integers(1, 10**6), st.integers(1, 5), st.integers(0, 1)),
        min_size=1,
        max_size=40,
    )
)
def test_no_gap_is_zero_and_all_time_is_kept(parts: list[tuple[int, int, int]]) -> None:
    """Whatever the transport joins, gaps are those between reads, and TPOT uses every token."""
    stamps: list[float] = []
    reads: list[int] = []
    for gap, _, is_new in parts:
        joins = bool(stamps) and not is_new
        stamps.append(stamps[-1] if joins else (stamps[-1] if stamps else 0) + gap)
        reads.append(reads[-1] if joins else len(reads))
    row = figures_of(
        FakeRequest(chunks=stamps, reads=reads, tokens=[tokens for _, tokens, _ in parts])
    ).iloc[0]
    assert (row["itl_ms"] > 0).all()
    assert row["itl_ms"].size + row["n_unknown_gaps"] == len(parts) - 1
    if row["itl_ms"].size:
        assert row["itl_ms"].sum() == pytest.approx(stamps[-1] - stamps[0])
        later = sum(t for (_, t, _), read in zip(parts, reads, strict=True) if read != reads[0])
        assert row["tpot_ms"] * later == pytest.approx(stamps[-1] - stamps[0])

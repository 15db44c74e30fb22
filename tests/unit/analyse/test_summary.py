import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from python_runner.analyse.summary import FEWEST_FOR_INTERVAL, median_interval, summarise
from tests.golden.frames import (
    CLIENT_ERROR,
    FOUR,
    LLAMA_CPP,
    OLLAMA,
    TRANSFORMERS,
    build_frames,
    rename,
)


def test_fastest_first_and_ratios_to_the_fastest_of_the_path() -> None:
    frames = build_frames()
    summary = summarise(frames.samples, frames.conditions)
    assert list(summary["title"]) == ["transformers", "llama.cpp", "Ollama", "mistral.rs (wheel)"]
    embedded = summary[summary["reach"] == "embedded"]
    assert embedded["ratio_to_fastest"].iloc[0] == 1
    assert embedded["ratio_to_fastest"].is_monotonic_increasing
    assert list(summary.loc[summary["reach"] == "served", "ratio_to_fastest"]) == [1]


def test_medians_and_quartiles_are_those_of_the_timed_requests() -> None:
    frames = build_frames([LLAMA_CPP], iterations=11, warmup=3)
    timed = frames.samples[~frames.samples["is_warmup"]]
    e2e = [
        float(row["chunk_ns"][-1] - row["requested_ns"]) / 1e6 for row in timed.to_dict("records")
    ]
    row = summarise(frames.samples, frames.conditions).iloc[0]
    assert row["e2e_ms"] == pytest.approx(np.median(e2e))
    assert row["e2e_p25_ms"] == pytest.approx(np.quantile(e2e, 0.25))
    assert row["e2e_p75_ms"] == pytest.approx(np.quantile(e2e, 0.75))
    assert (row["e2e_min_ms"], row["e2e_max_ms"]) == pytest.approx((min(e2e), max(e2e)))
    assert (row["n"], row["n_timed"], row["n_warmup"]) == (11, 11, 3)


def test_failures_and_early_stops_are_counted_and_left_out() -> None:
    troubled = rename(OLLAMA, failures={1: "boom", 2: "boom"}, early_stops={5: 2})
    frames = build_frames([troubled])
    row = summarise(frames.samples, frames.conditions).iloc[0]
    assert (row["n"], row["n_timed"], row["n_failed"], row["n_early_stops"]) == (7, 10, 2, 1)


def test_a_stack_that_only_stops_early_keeps_ttft_and_tpot() -> None:
    frames = build_frames([rename(OLLAMA, early_stops=dict.fromkeys(range(1, 11), 4))])
    row = summarise(frames.samples, frames.conditions).iloc[0]
    assert row["n"] == 0
    assert np.isnan(row["e2e_ms"])
    assert np.isnan(row["ratio_to_fastest"])
    assert row["ttft_ms"] > 0
    assert row["tpot_ms"] > 0


def test_a_stack_without_samples_keeps_its_row_at_the_end() -> None:
    broken = rename(LLAMA_CPP, error="signal SIGILL", samples_kept=0)
    frames = build_frames([broken, TRANSFORMERS])
    summary = summarise(frames.samples, frames.conditions)
    assert list(summary["title"]) == ["transformers", "llama.cpp"]
    assert summary["error"].iloc[1] == "signal SIGILL"
    assert summary["n_timed"].iloc[1] == 0


def test_no_samples_at_all() -> None:
    frames = build_frames([rename(stack, error="boom", samples_kept=0) for stack in FOUR])
    summary = summarise(frames.samples, frames.conditions)
    assert summary["e2e_ms"].isna().all()
    assert len(summary) == 4


def test_warm_up_does_not_count() -> None:
    frames = build_frames([LLAMA_CPP], iterations=4, warmup=6)
    without = frames.samples[~frames.samples["is_warmup"]]
    counted = ["n", "e2e_ms", "ttft_ms", "e2e_max_ms"]
    all_of_them = summarise(frames.samples, frames.conditions)[counted]
    assert all_of_them.equals(summarise(without, frames.conditions)[counted])


def test_runs_are_not_pooled() -> None:
    first, second = build_frames([LLAMA_CPP], run_id=1), build_frames([OLLAMA], run_id=2)
    second.samples["condition_id"] += 50
    second.conditions["condition_id"] += 50
    summary = summarise(
        pd.concat([first.samples, second.samples]), pd.concat([first.conditions, second.conditions])
    )
    assert list(summary["run_id"]) == [1, 2]
    assert list(summary["n"]) == [10, 10]
    assert list(summary["ratio_to_fastest"]) == [1, 1]


def test_the_interval_is_always_the_same() -> None:
    values = [7.1, 7.3, 7.0, 7.9, 7.2, 7.4, 7.1, 7.0, 7.6, 7.2]
    assert median_interval(values) == median_interval(values)


def test_too_few_samples_have_no_interval() -> None:
    assert np.isnan(median_interval([1.0] * (FEWEST_FOR_INTERVAL - 1))).all()
    assert median_interval([1.0] * FEWEST_FOR_INTERVAL) == (1.0, 1.0)


@settings(max_examples=25)
@given(st.lists(st.floats(0.1, 1e6), min_size=FEWEST_FOR_INTERVAL, max_size=20))
def test_the_interval_holds_the_median(values: list[float]) -> None:
    low, high = median_interval(values)
    rounding = 1e-9 * max(values)
    ends = [min(values), low, float(np.median(values)), high, max(values)]
    assert (np.diff(ends) >= -rounding).all()


def test_what_our_own_clock_adds_stands_with_the_stack_it_was_measured_for() -> None:
    frames = build_frames([LLAMA_CPP, OLLAMA])
    embedded, served = summarise(frames.samples, frames.conditions).to_dict(orient="records")
    assert served["ttft_own_error_ms"] == CLIENT_ERROR["ttft_p50_ms"]
    assert np.isnan(served["callback_cost_ns"])
    assert embedded["callback_cost_ns"] == 810
    assert np.isnan(embedded["ttft_own_error_ms"])

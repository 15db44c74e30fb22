import numpy as np
import pandas as pd

from python_runner.analyse.trace import COLUMNS, token_trace
from tests.golden.frames import LLAMA_CPP, NEW_TOKENS, OLLAMA, build_frames, rename

MS = 1_000_000


def test_one_row_for_each_token() -> None:
    frames = build_frames([LLAMA_CPP], iterations=3, warmup=1)
    trace = token_trace(frames.samples)
    assert len(trace) == 4 * NEW_TOKENS
    assert list(trace["token_index"]) == list(range(1, NEW_TOKENS + 1)) * 4
    assert trace["gap_ms"].isna().sum() == 4


def test_times_count_from_the_request_and_gaps_add_up() -> None:
    frames = build_frames([LLAMA_CPP], iterations=1, warmup=0)
    sample = frames.samples.iloc[0]
    trace = token_trace(frames.samples)
    assert trace["t_ms"].iloc[-1] == (sample["chunk_ns"][-1] - sample["requested_ns"]) / MS
    total = trace["t_ms"].iloc[0] + trace["gap_ms"].sum()
    assert np.isclose(total, trace["t_ms"].iloc[-1])


def test_tokens_that_share_an_arrival_have_no_gap_of_their_own() -> None:
    samples = build_frames([LLAMA_CPP], iterations=1, warmup=0).samples
    stamps = np.array([10, 30, 30, 70]) * MS + int(samples["requested_ns"].iloc[0])
    samples["chunk_ns"] = pd.Series([stamps], dtype="object")
    samples["chunk_tokens"] = pd.Series([np.array([1, 1, 0, 3])], dtype="object")
    trace = token_trace(samples)
    assert list(trace["token_index"]) == [1, 2, 3, 4, 5, 6]
    assert list(trace["t_ms"]) == [10, 30, 30, 70, 70, 70]
    assert trace["gap_ms"].fillna(-1).tolist() == [-1, 20, -1, 40, -1, -1]


def test_failed_requests_leave_no_token_and_early_stops_say_so() -> None:
    troubled = rename(OLLAMA, failures={1: "boom"}, early_stops={2: 3})
    trace = token_trace(build_frames([troubled], iterations=2, warmup=0).samples)
    assert len(trace) == 3
    assert set(trace["outcome"]) == {"early stop"}


def test_no_samples_no_rows() -> None:
    trace = token_trace(build_frames([rename(OLLAMA, samples_kept=0)]).samples)
    assert trace.empty
    assert list(trace.columns) == list(COLUMNS)

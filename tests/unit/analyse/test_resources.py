"""What a token takes."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from python_runner.analyse.resources import resources_per_stack
from tests.golden.frames import LLAMA_CPP, NEW_TOKENS, OLLAMA, build_frames, rename


def test_counters_are_shared_among_tokens_and_levels_are_not() -> None:
    samples = build_frames([LLAMA_CPP]).samples
    used = {"cpu_s": 4.0, "minor_page_faults": 16.0, "resident_bytes": 1e9}
    samples["resources"] = pd.Series([used] * len(samples), dtype=object)
    (row,) = resources_per_stack(samples).to_dict(orient="records")
    assert row["n"] == 10
    assert row["cpu_s"] == 4.0 / NEW_TOKENS
    assert row["minor_page_faults"] == 2.0
    assert row["resident_bytes"] == 1e9
    assert row["cpu_per_s"] == pytest.approx(4 / LLAMA_CPP.e2e_s, rel=0.1)
    assert math.isnan(row["energy_j"])


def test_only_complete_timed_requests_count() -> None:
    frames = build_frames([rename(OLLAMA, failures={1: "boom"}, early_stops={2: 3})])
    assert resources_per_stack(frames.samples)["n"].item() == 8


def test_a_run_of_an_older_polystack_has_none() -> None:
    samples = build_frames([LLAMA_CPP]).samples
    samples["resources"] = pd.Series([{} for _ in range(len(samples))], dtype=object)
    assert resources_per_stack(samples)["cpu_s"].isna().all()
    assert resources_per_stack(samples.iloc[:0]).empty

"""What a run says of a stack, and how much of it is the machine's."""

import pandas as pd
import pytest

from python_runner.analyse.decision.of_runs import figures_of_runs
from tests.golden.frames import LLAMA_CPP, build_frames


def figures(*, waited_ns: int) -> pd.DataFrame:
    frames = build_frames([LLAMA_CPP])
    samples = frames.samples.assign(probe_elapsed_ns=40_000_000, probe_waited_ns=waited_ns)
    return figures_of_runs(samples, frames.conditions).set_index("figure")


def test_a_crowd_widens_a_figure_to_the_better_side_only() -> None:
    quiet, crowded = figures(waited_ns=0), figures(waited_ns=30_000_000)
    assert crowded["value"]["e2e_ms"] == quiet["value"]["e2e_ms"]
    assert crowded["low"]["e2e_ms"] == pytest.approx(quiet["low"]["e2e_ms"] / 4)
    assert crowded["high"]["e2e_ms"] == quiet["high"]["e2e_ms"]
    assert crowded["high"]["tokens_per_s"] == pytest.approx(quiet["high"]["tokens_per_s"] * 4)
    assert crowded["low"]["tokens_per_s"] == quiet["low"]["tokens_per_s"]
    assert "others had the processor" in crowded["source"]["e2e_ms"]
    assert "others" not in quiet["source"]["e2e_ms"]

import numpy as np
import pandas as pd

from python_runner.analyse.overview import runs_overview
from tests.golden.frames import FOUR, OLLAMA, TRANSFORMERS, Frames, build_frames, rename


def joined(first: Frames, second: Frames) -> Frames:
    second.samples["condition_id"] += 50
    second.conditions["condition_id"] += 50
    return Frames(*(pd.concat(pair, ignore_index=True) for pair in zip(first, second, strict=True)))


def test_counts_of_each_run() -> None:
    broken = rename(TRANSFORMERS, error="boom", samples_kept=0)
    frames = joined(
        build_frames(FOUR, run_id=1),
        build_frames([rename(OLLAMA, failures={2: "boom"}), broken], run_id=2),
    )
    first, second = runs_overview(*frames).to_dict(orient="records")
    assert (first["n_complete"], first["n_left_out"], first["n_without_result"]) == (40, 0, 0)
    assert first["fastest"] == "transformers"
    assert (second["n_complete"], second["n_left_out"], second["n_without_result"]) == (9, 1, 1)
    assert second["fastest"] == "Ollama"
    assert second["stacks"] == "Ollama, transformers"


def test_a_run_without_results() -> None:
    frames = build_frames([rename(OLLAMA, error="boom", samples_kept=0)])
    (row,) = runs_overview(*frames).to_dict(orient="records")
    assert row["fastest"] == ""
    assert np.isnan(row["fastest_e2e_ms"])


def test_no_runs() -> None:
    frames = build_frames()
    assert runs_overview(*(frame.iloc[:0] for frame in frames)).empty

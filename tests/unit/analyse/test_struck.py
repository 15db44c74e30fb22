"""A stack whose answers are wrong has no speed, wherever speeds are looked at."""

from typing import Any

import numpy as np
import pandas as pd

from python_runner.analyse.ablations import ablation_effects
from python_runner.analyse.compare import change_between, pairs_of_run
from python_runner.analyse.ggml import compare_on_ggml
from python_runner.analyse.serving import price_of_serving
from python_runner.analyse.struck import struck_out
from python_runner.engines.ggml.facts import VERSION
from tests.golden.frames import LLAMA_CPP, OLLAMA, TRANSFORMERS, Frames, build_frames, rename

WHY = "9 of 80 tokens are not what the model says"
SERVER = rename(LLAMA_CPP, name="llama-server", title="llama-server", reach="served")


def strike(frames: Frames, *stacks: str) -> Frames:
    """As `with_answers` would leave it."""
    reasons = [WHY if name in stacks else "" for name in frames.conditions["stack"]]
    return frames._replace(conditions=frames.conditions.assign(struck=reasons))


def test_what_nobody_looked_at_counts() -> None:
    frames = build_frames([LLAMA_CPP, OLLAMA])
    assert struck_out(frames.conditions) == {}
    unknown = frames.conditions.assign(struck=pd.Series([None, np.nan], dtype=object))
    assert struck_out(unknown) == {}
    assert struck_out(strike(frames, "ollama").conditions) == {101: WHY}


def test_it_has_no_pairs_and_no_price_of_serving() -> None:
    frames = strike(build_frames([LLAMA_CPP, SERVER, TRANSFORMERS]), "llama-server")
    pairs = pairs_of_run(*frames)
    assert "llama-server" not in set(pairs["stack_left"]) | set(pairs["stack_right"])
    assert price_of_serving(*frames[:2], {"llama-server": "llama.cpp"}).empty


def test_an_ablation_of_it_tests_nothing() -> None:
    asked: dict[str, Any] = {
        "key": "threads",
        "question": "Is it?",
        "change": "Halving its threads",
        "left": "ollama",
        "right": "llama.cpp",
        "metric": "e2e_ms",
    }
    frames = strike(build_frames([LLAMA_CPP, OLLAMA]), "ollama")
    (row,) = ablation_effects(*frames[:2], [asked]).to_dict("records")
    assert row["lack"] == f"Ollama is struck out, its answers are wrong: {WHY}"
    assert np.isnan(row["effect"])


def test_it_is_not_judged_beside_another_run() -> None:
    before = strike(build_frames([LLAMA_CPP, OLLAMA], run_id=7))
    after = strike(build_frames([LLAMA_CPP, OLLAMA], run_id=8), "ollama")
    later = after.conditions.assign(condition_id=after.conditions["condition_id"] + 100)
    samples = after.samples.assign(condition_id=after.samples["condition_id"] + 100)
    change = change_between(
        pd.concat([before.samples, samples], ignore_index=True),
        pd.concat([before.conditions, later], ignore_index=True),
        pd.concat([before.runs, after.runs], ignore_index=True),
        7,
        8,
    )
    assert change.not_judged == {"Ollama": f"its answers are wrong in run 8: {WHY}"}
    assert list(change.speed["stack_left"]) == ["llama.cpp"]


def test_nothing_is_held_against_it_among_stacks_on_ggml() -> None:
    build = {VERSION: "0.25.3"}
    stacks = [rename(one, build=build) for one in (LLAMA_CPP, SERVER, OLLAMA)]
    frames = strike(build_frames(stacks), "ollama")
    against, _ = compare_on_ggml(*frames[:2], resamples=99)
    assert set(against["stack_left"]) == {"llama-server"}
    without_base = strike(build_frames(stacks), "llama.cpp")
    assert compare_on_ggml(*without_base[:2], resamples=99)[0].empty

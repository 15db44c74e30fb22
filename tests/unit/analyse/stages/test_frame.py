"""Stages of many requests."""

from __future__ import annotations

import pandas as pd
import pytest

from python_runner.analyse.stages.breakdown import Stage
from python_runner.analyse.stages.frame import stage_frame, stages_per_stack
from tests.golden.cases import CASES
from tests.golden.frames import FOUR, LLAMA_CPP, OLLAMA, build_frames, rename

NAMES = [stage.value for stage in Stage]


@pytest.mark.parametrize("case", CASES)
def test_parts_of_each_request_add_up(case: str) -> None:
    frame = stage_frame(CASES[case]().samples)
    keys = ["condition_id", "iteration", "is_warmup"]
    for _, mine in frame.groupby(keys):
        assert mine["ms"].sum() == pytest.approx(mine["request_ms"].iloc[0])
        assert mine["share"].sum() == pytest.approx(1)
        assert mine["stage"].tolist() == NAMES
        assert (mine["ms"].isna() == (mine["within"] != "")).all()


def test_failed_requests_have_no_stages() -> None:
    frames = build_frames([rename(OLLAMA, failures={2: "boom"})], iterations=3, warmup=1)
    frame = stage_frame(frames.samples)
    timed = frame[~frame["is_warmup"]]
    assert sorted(timed["iteration"].unique()) == [1, 3]
    assert frame["is_warmup"].sum() == len(NAMES)


def test_parts_of_each_stack_add_up() -> None:
    frames = build_frames()
    table = stages_per_stack(frames.samples, frames.conditions)
    assert table["stack"].tolist() == [stack.name for stack in FOUR]
    assert table[NAMES].sum(axis=1).to_numpy() == pytest.approx(table["request_ms"].to_numpy())
    ollama = table.set_index("stack").loc["ollama"]
    assert ollama["within"][Stage.SAMPLE.value] == Stage.DECODE.value


@pytest.mark.parametrize("iterations", range(1, 8))
def test_few_requests_will_do(iterations: int) -> None:
    frames = build_frames([LLAMA_CPP], iterations=iterations)
    row = stages_per_stack(frames.samples, frames.conditions).iloc[0]
    assert row["n"] >= iterations / 2
    assert row[NAMES].sum() == pytest.approx(row["request_ms"])


def test_outliers_are_left_out() -> None:
    frames = build_frames([rename(LLAMA_CPP, noise=0.0)])
    plain = stages_per_stack(frames.samples, frames.conditions)["request_ms"].item()
    slow = frames.samples.copy()
    slow.loc[slow["iteration"] == 4, "ended_ns"] += 60_000_000_000
    assert stages_per_stack(slow, frames.conditions)["request_ms"].item() == pytest.approx(plain)


def test_stacks_without_a_complete_request_are_left_out() -> None:
    for case in ("only failures", "nothing started", "only early stops"):
        frames = CASES[case]()
        table = stages_per_stack(frames.samples, frames.conditions)
        assert isinstance(table, pd.DataFrame)
        assert table.empty

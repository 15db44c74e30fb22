"""The table of pairs, from frames as the store gives them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from python_runner.analyse.compare import all_pairs, compare_pairs, matching_pairs
from python_runner.analyse.compare.pairs import COLUMNS
from tests.golden import frames as golden
from tests.golden.frames import LLAMA_CPP, OLLAMA, FakeStack, Frames, rename

RESAMPLES = 999
TWO = (LLAMA_CPP, OLLAMA)


def build_frames(*given: Any, **changes: Any) -> Frames:
    """As before there were blocks and probes; each test adds what it is about."""
    found = golden.build_frames(*given, **changes)
    later = ["block", "probe_compute_ns", "probe_memory_ns"]
    return found._replace(samples=found.samples.drop(columns=later))


def in_blocks(frames: Frames, blocks: int = 5) -> Frames:
    per_block = max(1, int(frames.samples["iteration"].max()) // blocks)
    block = (frames.samples["iteration"] - 1) // per_block + 1
    return frames._replace(samples=frames.samples.assign(block=block))


def probed(frames: Frames, *, slower: dict[str, float]) -> Frames:
    """A probe that takes longer beside some stacks."""
    factor = frames.samples["stack"].map(slower).fillna(1.0)
    wobble = 1 + 0.002 * np.sin(np.arange(len(factor)))
    samples = frames.samples.assign(
        probe_compute_ns=2e6 * factor * wobble, probe_memory_ns=3e6 * wobble
    )
    return frames._replace(samples=samples)


def compare(
    frames: Frames, pairs: Sequence[tuple[int, int]] | None = None, **more: Any
) -> pd.DataFrame:
    return compare_pairs(
        frames.samples,
        frames.conditions,
        pairs,
        resamples=RESAMPLES,
        **more,
    )


def only(table: pd.DataFrame) -> dict[str, Any]:
    assert len(table) == 1
    return {str(key): value for key, value in table.iloc[0].items()}


def test_all_pairs_of_four_stacks_in_order() -> None:
    table = compare(in_blocks(build_frames()))
    assert tuple(table.columns) == COLUMNS
    assert list(zip(table["condition_id_left"], table["condition_id_right"], strict=True)) == [
        (100, 101),
        (100, 102),
        (100, 103),
        (101, 102),
        (101, 103),
        (102, 103),
    ]
    assert set(table["blocks"]) == {5}
    assert (table["p_holm"] >= table["p"]).all()


def test_a_clear_difference() -> None:
    slow = rename(OLLAMA, e2e_s=2 * LLAMA_CPP.e2e_s, noise=0.01)
    row = only(compare(in_blocks(build_frames([LLAMA_CPP, slow]))))
    assert row["verdict"] == "faster"
    assert row["ratio"] == pytest.approx(0.5, rel=0.05)
    assert row["ratio_low"] < row["ratio"] < row["ratio_high"] < 1
    assert row["cliffs_delta"] == -1
    assert row["effect_size"] == "large"
    assert row["stack_left"] == "llama.cpp"
    assert row["n_left"] == row["n_right"] == 10


def test_without_a_probe_five_per_cent_are_not_trusted() -> None:
    slow = rename(LLAMA_CPP, name="b", e2e_s=1.03 * LLAMA_CPP.e2e_s, noise=0.001)
    still = rename(LLAMA_CPP, noise=0.001)
    row = only(compare(in_blocks(build_frames([still, slow]))))
    assert row["p_holm"] < 0.05
    assert row["verdict"] == "no difference"
    assert row["floor_source"] == "assumed: no probe"
    assert row["noise_floor"] == 0.05


def test_a_probe_that_saw_nothing_lets_three_per_cent_pass() -> None:
    slow = rename(LLAMA_CPP, name="b", e2e_s=1.03 * LLAMA_CPP.e2e_s, noise=0.001)
    still = rename(LLAMA_CPP, noise=0.001)
    row = only(compare(probed(in_blocks(build_frames([still, slow])), slower={})))
    assert row["floor_source"] == "probe"
    assert row["noise_floor"] < 0.01
    assert row["verdict"] == "faster"


def test_a_machine_that_was_slower_beside_one_stack_raises_the_floor_of_all() -> None:
    frames = probed(in_blocks(build_frames()), slower={"ollama": 1.2})
    table = compare(frames)
    assert table["noise_floor"].to_numpy() == pytest.approx(0.2, rel=0.05)
    beside = table[(table["stack_left"] == "llama.cpp") & (table["stack_right"] == "ollama")]
    assert set(beside["verdict"]) <= {"no difference", "not known"}


def test_a_crowd_beside_one_stack_makes_no_winner() -> None:
    """Others had the processor while one stack was measured: five times as slow is not its own."""
    slow = rename(LLAMA_CPP, name="b", e2e_s=5 * LLAMA_CPP.e2e_s)
    frames = probed(in_blocks(build_frames([LLAMA_CPP, slow])), slower={})
    assert only(compare(frames))["verdict"] == "faster"
    beside = frames.samples["condition_id"] == frames.conditions["condition_id"].max()
    crowded = frames._replace(
        samples=frames.samples.assign(
            probe_elapsed_ns=40_000_000, probe_waited_ns=np.where(beside, 34_000_000, 0)
        )
    )
    row = only(compare(crowded))
    assert row["verdict"] == "not known"
    assert row["floor_source"] == "others had the processor"
    assert row["noise_floor"] == pytest.approx(40 / 6 - 1)


def test_one_block_is_not_measured_in_turns() -> None:
    table = compare(build_frames())
    assert set(table["blocks"]) == {1}
    assert set(table["floor_source"]) == {"assumed: not measured in turns"}
    assert set(table["noise_floor"]) == {0.10}


def test_a_stack_that_died_after_its_first_block_does_not_raise_the_floor_of_the_others() -> None:
    dead = rename(OLLAMA, name="dead", error="crashed", samples_kept=4)
    table = compare(probed(in_blocks(build_frames([LLAMA_CPP, OLLAMA, dead])), slower={}))
    assert list(table["blocks"]) == [5, 1, 1]
    assert table["noise_floor"][0] < 0.01
    assert list(table["noise_floor"][1:]) == [0.10, 0.10]


def test_five_iterations_are_too_few() -> None:
    row = only(compare(in_blocks(build_frames(TWO, iterations=5))))
    assert row["verdict"] == "not known"
    assert row["reason"] == "too few samples"
    assert np.isnan(row["median_low_left"])


def test_failures_and_early_stops_are_left_out() -> None:
    broken = rename(OLLAMA, failures={1: "boom", 2: "boom"}, early_stops={4: 3})
    row = only(compare(in_blocks(build_frames([LLAMA_CPP, broken]))))
    assert (row["n_left"], row["n_right"]) == (10, 7)
    assert row["blocks"] == 4
    assert row["ratio"] == pytest.approx(7.9 / 8.3, rel=0.05)


def test_a_stack_without_samples_keeps_its_row_and_does_not_count_to_the_family() -> None:
    dead = rename(OLLAMA, name="dead", error="boom", samples_kept=0)
    table = compare(in_blocks(build_frames([LLAMA_CPP, OLLAMA, dead])))
    assert list(table["verdict"][1:]) == ["not known", "not known"]
    assert np.isnan(table["ratio"][1])
    assert table["p_holm"][0] == table["p"][0]


def test_a_rate_turns_the_words_and_not_the_meaning() -> None:
    frames = in_blocks(build_frames([LLAMA_CPP, rename(OLLAMA, e2e_s=16.0)]))
    times, rates = (
        only(compare(frames, metric=metric)) for metric in ("e2e_ms", "output_tokens_per_s")
    )
    assert times["verdict"] == rates["verdict"] == "faster"
    assert times["ratio"] == pytest.approx(1 / rates["ratio"])


def test_missing_block_numbers_are_one_block() -> None:
    frames = build_frames(TWO)
    without = only(compare(frames))
    empty = only(compare(frames._replace(samples=frames.samples.assign(block=None))))
    assert without == empty


def two_runs(left: FakeStack, right: FakeStack) -> Frames:
    first = in_blocks(build_frames([left, OLLAMA], run_id=1))
    second = in_blocks(build_frames([right], run_id=2))
    shifted = [frame.assign(condition_id=frame["condition_id"] + 50) for frame in second[:2]]
    samples = pd.concat([first.samples, shifted[0]], ignore_index=True)
    conditions = pd.concat([first.conditions, shifted[1]], ignore_index=True)
    return Frames(samples, conditions, pd.concat([first.runs, second.runs], ignore_index=True))


def test_two_runs_are_matched_by_stack_and_not_believed_below_ten_per_cent() -> None:
    frames = two_runs(LLAMA_CPP, rename(LLAMA_CPP, e2e_s=1.08 * LLAMA_CPP.e2e_s))
    pairs = matching_pairs(frames.conditions, 1, 2)
    assert pairs == [(100, 150)]
    row = only(compare(frames, pairs))
    assert row["run_id_left"] == 1
    assert row["run_id_right"] == 2
    assert row["verdict"] in ("no difference", "not known")
    assert row["noise_floor"] == 0.10
    assert len(all_pairs(frames.conditions)) == 1


def test_no_pairs_give_an_empty_table() -> None:
    table = compare(build_frames([LLAMA_CPP]))
    assert tuple(table.columns) == COLUMNS
    assert table.empty


@settings(max_examples=10)
@given(
    ratio=st.floats(0.5, 2.0), noise=st.floats(0.001, 0.1), blocks=st.sampled_from([1, 2, 5, 10])
)
def test_swapping_left_and_right_inverts_and_changes_nothing_else(
    ratio: float, noise: float, blocks: int
) -> None:
    other = rename(OLLAMA, e2e_s=ratio * LLAMA_CPP.e2e_s, noise=noise)
    frames = in_blocks(build_frames([LLAMA_CPP, other]), blocks)
    here, there = only(compare(frames, [(100, 101)])), only(compare(frames, [(101, 100)]))
    for one, opposite in (("ratio", "ratio"), ("ratio_low", "ratio_high")):
        assert here[one] == pytest.approx(1 / there[opposite])
    assert here["p"] == there["p"]
    assert here["cliffs_delta"] == -there["cliffs_delta"]
    swapped = {"faster": "slower", "slower": "faster"}
    word = str(there["verdict"])
    assert here["verdict"] == swapped.get(word, word)

import pandas as pd

from python_runner.analyse.tidy import NO_SAMPLE, tidy_samples, tidy_tokens
from tests.golden.frames import FOUR, LLAMA_CPP, OLLAMA, TRANSFORMERS, build_frames, rename


def test_a_row_for_each_request_with_its_conditions() -> None:
    frames = build_frames(FOUR, iterations=3, warmup=1)
    table = tidy_samples(*frames)
    assert len(table) == len(frames.samples)
    row = table.iloc[0]
    assert (row["host_cores"], row["threads"], row["precision"]) == (2, 2, "bf16")
    assert row["build"] == dict(LLAMA_CPP.build)
    assert row["token_ids"] == list(range(8))
    assert list(table["stack"].unique()) == [stack.name for stack in FOUR]


def test_a_stack_without_samples_does_not_vanish() -> None:
    broken = rename(OLLAMA, error="signal SIGILL", samples_kept=0)
    table = tidy_samples(*build_frames([LLAMA_CPP, broken], iterations=1, warmup=0))
    row = table[table["stack"] == "ollama"].iloc[0]
    assert row["outcome"] == NO_SAMPLE
    assert row["failure"] == "signal SIGILL"
    assert row["token_ids"] is None


def test_in_how_many_parts_a_run_was_measured() -> None:
    samples, conditions, runs, *_ = build_frames([LLAMA_CPP], iterations=1, warmup=0)
    assert set(tidy_samples(samples, conditions, runs)["run_parts"]) == {1}
    went_on = runs.assign(resumed=pd.Series([[{"cut": []}, {"cut": [2]}]], dtype=object))
    assert set(tidy_samples(samples, conditions, went_on)["run_parts"]) == {3}


def test_only_broken_stacks() -> None:
    table = tidy_samples(*build_frames([rename(OLLAMA, error="boom", samples_kept=0)]))
    assert list(table["outcome"]) == [NO_SAMPLE]


def test_random_weights_are_marked_in_both_tables() -> None:
    trained = rename(TRANSFORMERS, is_synthetic=False)
    frames = build_frames([LLAMA_CPP, trained], iterations=1, warmup=0)
    for table in (tidy_samples(*frames), tidy_tokens(frames.samples, frames.conditions)):
        marks = table.groupby("stack")["random_weights"].agg(["min", "max"])
        assert list(marks.loc["llama.cpp"]) == [True, True]
        assert list(marks.loc["transformers"]) == [False, False]

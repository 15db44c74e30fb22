import pandas as pd
import pytest

from python_runner.analyse.summary import summarise
from python_runner.common.errors import UsageError
from python_runner.report.facts import (
    RANDOM_WARNING,
    TINY_WARNING,
    RunFacts,
    run_facts,
    shorten,
)
from tests.golden.cases import CASES, broken
from tests.golden.frames import FOUR, LLAMA_CPP, OLLAMA, Frames, build_frames, rename


def facts_of(frames: Frames) -> RunFacts:
    return run_facts(*frames, summarise(frames.samples, frames.conditions))


def test_all_conditions_are_named() -> None:
    facts = facts_of(build_frames(FOUR))
    words = f"{facts.model} {facts.work} {facts.course}"
    for needed in (
        "Gemma-2-2B shape, random weights",
        "bf16",
        "CPU",
        "2 threads",
        "48 prompt tokens",
        "8 new tokens",
        "greedy, raw prompt",
        "10 timed iterations in 5 blocks after 2 of warm-up",
        "Intel Xeon Platinum 8481C",
        "2026-11-20",
        "study languages, run 7",
    ):
        assert needed in words


def test_random_weights_are_named_even_if_the_label_does_not() -> None:
    facts = facts_of(build_frames([rename(LLAMA_CPP, model_label="Gemma-2-2B shape")]))
    assert facts.model == "Gemma-2-2B shape, random weights"
    assert facts.warnings == (RANDOM_WARNING,)


def test_the_tiny_model_says_nothing_about_languages() -> None:
    facts = facts_of(CASES["extreme"]())
    assert facts.warnings == (TINY_WARNING,)
    assert "random" not in facts.model


def test_a_crowd_is_warned_of_and_a_moments_waiting_is_not() -> None:
    frames = build_frames([LLAMA_CPP, OLLAMA])
    crowded = frames.samples.assign(probe_elapsed_ns=40_000_000, probe_waited_ns=30_000_000)
    facts = facts_of(frames._replace(samples=crowded))
    assert any("not quiet" in each and "4 times as slow" in each for each in facts.warnings)
    once = crowded["probe_waited_ns"].where(crowded["iteration"] == 3, 0)
    facts = facts_of(frames._replace(samples=crowded.assign(probe_waited_ns=once)))
    assert not any("not quiet" in each for each in facts.warnings)


def test_conditions_that_differ_are_warned_of() -> None:
    frames = build_frames([LLAMA_CPP, OLLAMA])
    frames.conditions["threads"] = [2, 4]
    facts = facts_of(frames)
    assert "2 / 4 threads" in facts.work
    assert any("number of threads" in warning for warning in facts.warnings)


def test_notes_tell_of_everything_that_is_left_out() -> None:
    notes = "\n".join(facts_of(CASES["troubled"]()).notes)
    assert "llama.cpp ended after 3 of 10 iterations: signal SIGKILL (out of memory)" in notes
    assert "Ollama: 1 of 10 requests failed, left out (iteration 7): timed out" in notes
    assert "Ollama: 2 of 10 answers ended early" in notes
    assert "transformers gave no result: signal SIGILL" in notes
    assert "mistral.rs" not in notes


def test_missing_iterations_are_told() -> None:
    facts = facts_of(build_frames([rename(LLAMA_CPP, samples_kept=6)], status="interrupted"))
    assert facts.notes == ("llama.cpp ended after 4 of 10 iterations.",)
    assert "interrupted" in facts.warnings[-1]


def test_what_was_planned_is_told_where_nothing_was_measured() -> None:
    facts = facts_of(build_frames([broken(LLAMA_CPP)]))
    assert "48 prompt tokens · 8 new tokens" in facts.work


def test_a_run_that_ended_before_any_stack() -> None:
    facts = facts_of(CASES["nothing started"]())
    assert facts.model == "gemma-2-2b-synthetic"
    assert facts.work == "no stack was started · 48 prompt tokens · 8 new tokens"


@pytest.mark.parametrize("runs", [0, 2])
def test_one_run_and_no_other_number(runs: int) -> None:
    frames = build_frames([LLAMA_CPP])
    repeated = pd.concat([frames.runs] * runs) if runs else frames.runs.iloc[:0]
    with pytest.raises(UsageError, match="about one run"):
        facts_of(Frames(frames.samples, frames.conditions, repeated))


def test_shorten_keeps_one_line() -> None:
    assert shorten("a\n  b") == "a b"
    assert shorten("word " * 100, 20) == "word word word word…"


def test_how_far_the_clock_may_be_off_is_told_for_each_path() -> None:
    clock = facts_of(build_frames([LLAMA_CPP, OLLAMA])).clock
    assert "Ollama TTFT \N{PLUS-MINUS SIGN} 0.2 ms" in clock
    assert "llama.cpp 0.8 \N{MICRO SIGN}s a token" in clock
    assert facts_of(CASES["only failures"]()).clock == ""


def test_a_client_that_would_be_the_bottleneck_is_warned_of() -> None:
    frames = build_frames([LLAMA_CPP, OLLAMA])
    frames.conditions["client_error"].iloc[1]["warning"] = "the client gives only 80 % of the rate"
    warnings = facts_of(frames).warnings
    assert "Ollama: the client gives only 80 % of the rate" in warnings

"""The first paragraph: what it claims, and what it must not."""

from __future__ import annotations

from dataclasses import replace

from python_runner.report.contents import ReportedComparison, reported
from python_runner.report.contents.answer import answer, unequal_words
from tests.golden.cases import CASES
from tests.golden.frames import FOUR, LLAMA_CPP, OLLAMA, build_frames, rename
from tests.unit.report.contents.told import comparison


def said(case: str) -> str:
    return " ".join(answer(comparison(case)))


def test_names_the_fastest_with_its_interval_and_how_much_longer_the_others_took() -> None:
    first, others, *_ = answer(comparison("two"))
    assert first.startswith("llama.cpp (C++, embedded) was fastest: a median of ")
    assert "95 % interval" in first
    assert "Ollama, served over HTTP, took 1.0" in others
    assert "beyond chance and beyond this machine's own noise" in others


def test_a_machine_that_was_not_quiet_is_told_before_a_ratio_is_believed() -> None:
    frames = build_frames(FOUR)
    slow = frames.samples["stack"].map({"ollama": 1.5}).fillna(1.0)
    busy = frames.samples.assign(probe_memory_ns=frames.samples["probe_memory_ns"] * slow)
    for samples, is_told in ((frames.samples, False), (busy, True)):
        run = reported(frames._replace(samples=samples).stored())
        assert isinstance(run, ReportedComparison)
        assert ("The machine was not quiet" in " ".join(answer(run))) is is_told


def test_stacks_that_are_alike_give_no_fastest() -> None:
    alike = [rename(stack, e2e_s=8.0, noise=0.0, drift=0.0) for stack in (LLAMA_CPP, OLLAMA)]
    run = reported(build_frames(alike).stored())
    assert isinstance(run, ReportedComparison)
    text = " ".join(answer(run))
    assert "No stack can be called fastest." in text
    assert "was fastest" not in text
    assert "There is no difference between" in text


def test_too_few_iterations_are_said_to_be_too_few() -> None:
    text = said("single iteration")
    assert "was fastest" not in text
    assert "too few iterations for an interval" in text
    assert "is not known" in text
    assert "too few samples" in text


def test_one_stack_is_compared_with_nothing() -> None:
    text = said("one")
    assert text.startswith("Only llama.cpp (C++, embedded) has a result that counts")
    assert "fastest" not in text


def test_nothing_finished_is_the_whole_answer() -> None:
    for case in ("only failures", "nothing started"):
        text = said(case)
        assert text.startswith("No stack has a result that counts"), case
        assert "was fastest" not in text
    assert "signal SIGILL" in said("only failures")


def test_stacks_without_a_result_are_named_with_their_reason() -> None:
    text = said("troubled")
    assert "transformers gave no result: signal SIGILL" in text
    assert "This run is marked as interrupted" in text


def test_the_tiny_model_says_nothing_about_languages() -> None:
    sentences = answer(comparison("extreme"))
    warning = next(one for one in sentences if one.startswith("Tiny model:"))
    conditions = next(one for one in sentences if one.startswith("Conditions:"))
    assert sentences.index(warning) < sentences.index(conditions)


def test_random_weights_stand_in_the_answer() -> None:
    assert "Random weights: the speed is real, the text means nothing." in said("four")


def test_a_struck_stack_is_never_the_fastest_one() -> None:
    run = comparison("four")
    fastest = run.data.summary["title"].iloc[0]
    why = "7 of 80 tokens are wrong"
    summary, conditions = (
        table.assign(struck=[why if title == fastest else "" for title in table["title"]])
        for table in (run.data.summary, run.frames.conditions)
    )
    changed = replace(
        run,
        data=replace(run.data, summary=summary),
        frames=replace(run.frames, conditions=conditions),
    )
    text = " ".join(answer(changed))
    assert not text.startswith(fastest)
    assert f"{fastest} is struck out, because its answers are wrong: 7 of 80" in text


def test_what_is_not_equal_is_named_and_so_is_what_nobody_knows() -> None:
    facts = {"device": "cpu", "threads": "2", "precision": "16 bits", "path": "embedded"}
    other = {"device": "cpu", "threads": "2", "precision": "8 bits", "path": "served"}
    frames = build_frames([rename(LLAMA_CPP, facts=facts), rename(OLLAMA, facts=other)])
    must, told, unknown = unequal_words(frames.conditions)
    assert must.startswith("Not equal, and allowed to be: precision of the weights (")
    assert "8 bits: Ollama" in must
    assert told == "Also different: path."
    assert unknown.startswith("Not known whether equal: weights (hash of the source), ")
    assert "threads" not in unknown


def test_a_run_that_kept_no_facts_says_so() -> None:
    assert list(unequal_words(build_frames(FOUR).conditions)) == [
        "What the stacks had in common was not kept with this run."
    ]
    assert list(unequal_words(build_frames([LLAMA_CPP]).conditions)) == []


def test_figures_are_never_taken_from_warm_up() -> None:
    frames = CASES["two"]().stored()
    only_warmup = replace(frames, samples=frames.samples[frames.samples["is_warmup"]])
    run = reported(only_warmup)
    assert isinstance(run, ReportedComparison)
    assert "No stack has a result" in answer(run)[0]

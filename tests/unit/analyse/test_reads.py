"""Answers whose chunks came in one read."""

from typing import Any

import numpy as np
import pytest

from python_runner.analyse.reads import answers_at_once, came_at_once
from python_runner.analyse.summary import summarise
from python_runner.report.facts import run_facts
from tests.golden.frames import LLAMA_CPP, OLLAMA, Frames, build_frames


def sample(stamps: list[int], tokens: list[int], total: int) -> dict[str, Any]:
    return {
        "chunk_ns": np.array(stamps),
        "chunk_tokens": np.array(tokens),
        "output_tokens": total,
    }


@pytest.mark.parametrize(
    ("answer", "at_once"),
    [
        (sample([5, 5, 5, 5], [1, 1, 1, 1], 4), True),
        (sample([5, 5, 5, 9], [1, 1, 1, 1], 4), True),
        (sample([5, 5, 7, 9], [1, 1, 1, 1], 4), False),
        (sample([5, 5, 5, 9], [0, 0, 0, 0], 8), True),  # of unknown size
        (sample([5, 9], [6, 2], 8), True),  # one chunk of many tokens
        (sample([5, 5, 9], [1, 1, 6], 8), False),
        (sample([5], [8], 8), True),
        (sample([5], [1], 1), False),  # nothing else could have come
        (sample([], [], 0), False),
    ],
)
def test_most_of_an_answer_in_the_first_read(answer: dict[str, Any], at_once: bool) -> None:
    assert came_at_once(answer) is at_once


def in_one_read(frames: Frames, iterations: set[int]) -> Frames:
    """Some requests of all stacks, as if the last read had brought everything."""
    samples = frames.samples.copy()
    samples["chunk_ns"] = [
        np.full_like(stamps, stamps[-1]) if iteration in iterations else stamps
        for stamps, iteration in zip(samples["chunk_ns"], samples["iteration"], strict=True)
    ]
    return Frames(samples, frames.conditions, frames.runs)


def test_served_stacks_are_counted_and_warned_of() -> None:
    frames = in_one_read(build_frames([LLAMA_CPP, OLLAMA]), {2, 3, 5})
    found = answers_at_once(frames.samples, frames.conditions)
    assert found.to_dict(orient="records") == [
        {"condition_id": 101, "title": "Ollama", "n": 10, "n_at_once": 3}
    ]
    warnings = run_facts(*frames, summarise(frames.samples, frames.conditions)).warnings
    assert any(line.startswith("Ollama: 3 of 10 answers came at once") for line in warnings)


def test_nothing_is_said_of_streams_that_flow() -> None:
    frames = build_frames([LLAMA_CPP, OLLAMA])
    assert answers_at_once(frames.samples, frames.conditions).empty

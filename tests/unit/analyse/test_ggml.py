"""Stacks on ggml beside each other, on made-up runs."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from python_runner.analyse.ggml import (
    METRICS,
    compare_on_ggml,
    differing_facts,
    facts_of_stacks,
    on_ggml,
)
from python_runner.engines.ggml.facts import DEFINES, THREADING, VERSION, WEIGHTS_FILE
from tests.golden.frames import TRANSFORMERS, FakeStack, Frames, build_frames

UPSTREAM = {VERSION: "0.25.3 (llama.cpp a)", DEFINES: "OpenMP on", THREADING: "OpenMP's"}
LIKE = {**UPSTREAM, DEFINES: "OpenMP off", THREADING: "own"}
SOURCE = {**LIKE, VERSION: "llama.cpp b with 3 patches"}
READS = {**SOURCE, WEIGHTS_FILE: "read into memory"}


def stack(name: str, e2e_s: float, build: dict[str, str], reach: str = "embedded") -> FakeStack:
    language = "C++" if name.startswith("llama") else "Go"
    return FakeStack(
        name=name,
        title=name.title(),
        language=language,
        reach=reach,
        e2e_s=e2e_s,
        noise=0.005,
        build={"compiler": "c++ 12", **build},
    )


STUDY = (
    stack("llama.cpp", 8.0, UPSTREAM),
    stack("llama.cpp@like=ollama", 8.4, LIKE),
    stack("llama.cpp@source=ollama", 8.8, SOURCE),
    stack("go-driver", 8.9, SOURCE),
    stack("go-driver-go-engine", 9.5, READS),
    stack("ollama", 9.0, READS, "served"),
)


def in_blocks(frames: Frames, blocks: int = 5) -> Frames:
    block = (frames.samples["iteration"] - 1) // 2 + 1
    return frames._replace(samples=frames.samples.assign(block=block.clip(upper=blocks)))


def compared(*stacks: FakeStack) -> tuple[pd.DataFrame, pd.DataFrame]:
    frames = in_blocks(build_frames(stacks))
    return compare_on_ggml(frames.samples, frames.conditions, resamples=999)


def row(table: pd.DataFrame, **wanted: str) -> dict[str, Any]:
    for column, value in wanted.items():
        table = table[table[column] == value]
    assert len(table) == 1
    return {str(name): value for name, value in table.iloc[0].items()}


def test_only_what_says_so_rests_on_ggml() -> None:
    conditions = build_frames([*STUDY, TRANSFORMERS]).conditions
    assert list(on_ggml(conditions)["stack"]) == [one.name for one in STUDY]


def test_every_other_stack_is_held_against_llama_cpp() -> None:
    against, _ = compared(*STUDY)
    assert len(against) == (len(STUDY) - 1) * len(METRICS)
    assert set(against["stack_right"]) == {"llama.cpp"}
    found = row(against, stack_left="ollama", metric="e2e_ms")
    assert found["reach"] == "served"
    assert found["ratio"] == pytest.approx(9.0 / 8.0, rel=0.01)


def test_the_language_is_told_from_defines_and_version() -> None:
    _, steps = compared(*STUDY)
    language = row(steps, stack_left="go-driver", metric="e2e_ms")
    assert language["stack_right"] == "llama.cpp@source=ollama"
    assert "language" in language["what"]
    assert language["differs"] == ()
    assert language["ratio"] == pytest.approx(8.9 / 8.8, rel=0.01)
    assert language["at_most"] == pytest.approx(
        max(language["ratio_high"], 1 / language["ratio_low"]) - 1
    )
    defines = row(steps, stack_left="llama.cpp@like=ollama", metric="e2e_ms")
    assert defines["differs"] == (DEFINES, THREADING)
    version = row(steps, stack_left="llama.cpp@source=ollama", metric="e2e_ms")
    assert version["differs"] == (VERSION,)


def test_what_was_not_run_is_left_out() -> None:
    against, steps = compared(STUDY[0], STUDY[5])
    assert set(against["stack_left"]) == {"ollama"}
    assert steps.empty
    assert {"what", "differs", "at_most"} <= set(steps.columns)


def test_without_the_variants_version_and_defines_are_in_it() -> None:
    _, steps = compared(STUDY[0], STUDY[3])
    assert row(steps, metric="e2e_ms")["what"] == "the language, and another build of ggml"
    _, steps = compared(STUDY[0], STUDY[1], STUDY[3])
    found = row(steps, metric="e2e_ms", stack_left="go-driver")
    assert (found["stack_right"], found["differs"]) == ("llama.cpp@like=ollama", (VERSION,))
    _, steps = compared(STUDY[0], STUDY[2])
    assert row(steps, metric="e2e_ms")["what"] == "version, defines and threads of ggml"


def test_without_llama_cpp_the_steps_stay() -> None:
    against, steps = compared(*STUDY[2:])
    assert against.empty
    assert "go-driver" in set(steps["stack_left"])


def test_any_variant_is_held_against_its_own_base() -> None:
    plain = stack("llama.cpp@flags=baseline", 40.0, UPSTREAM)
    _, steps = compared(STUDY[0], plain)
    found = row(steps, metric="e2e_ms")
    assert found["what"] == "flags baseline (llama.cpp)"
    assert found["at_most"] > 3


def test_too_few_samples_give_no_bound() -> None:
    few = [FakeStack(**{**vars(one), "samples_kept": 3}) for one in STUDY[:2]]
    _, steps = compared(*few)
    assert steps["at_most"].isna().all()


def test_facts_are_told_apart_by_value() -> None:
    facts = facts_of_stacks(build_frames(STUDY[:4]).conditions)
    compiler = row(facts, fact="compiler")
    assert compiler["is_equal"]
    versions = facts[facts["fact"] == VERSION]
    assert list(versions["titles"]) == [
        ("Llama.Cpp", "Llama.Cpp@Like=Ollama"),
        ("Llama.Cpp@Source=Ollama", "Go-Driver"),
    ]
    assert not versions["is_equal"].any()


def test_what_one_side_does_not_say_counts_as_different() -> None:
    assert differing_facts(SOURCE, READS) == (WEIGHTS_FILE,)

"""Variants in a run: measured as they say, recorded as they were measured."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from python_runner.common.progress import SilentProgress
from python_runner.run.compare import compare
from python_runner.store import Store, read_frames
from tests.unit.builders import study
from tests.unit.cli.conftest import Polystack


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "polystack.sqlite") as opened:
        yield opened


def test_the_settings_that_were_used_are_recorded(store: Store) -> None:
    chosen = study(
        stacks=("mock-go", "mock-go@threads=1", "mock-go@precision=8bit+context=256"),
        threads=2,
        iterations=2,
        warmup=0,
    )
    compare(chosen, store, logs=store.path.parent, progress=SilentProgress())
    rows = read_frames(store).conditions.set_index("stack")
    assert tuple(rows.index) == chosen.stacks
    assert list(rows["threads"]) == [2, 1, 2]
    assert list(rows["precision"]) == ["bf16", "bf16", "8bit"]
    assert list(rows["context"]) == [512, 512, 256]
    assert rows.loc["mock-go@threads=1", "title"] == "mock Go, 1 thread"
    assert set(rows["language"]) == {"Go"}
    assert len(read_frames(store).samples) == 6


def test_a_variant_on_the_command_line(polystack: Polystack) -> None:
    outcome = polystack(
        "compare",
        "demo",
        "--stacks",
        "mock-go,mock-go@threads=1",
        "--iterations",
        "2",
        "--no-answers",
    )
    assert outcome.code == 0, outcome.err
    assert "mock Go, 1 thread" in outcome.out.replace("\n", " ")
    assert "Not the same number of threads" not in outcome.out


@pytest.mark.parametrize(
    ("stacks", "said"),
    [
        ("mock-go@gc=off", "no knob 'gc'"),
        ("mock-go@threads=1,context=99", "no stack, but a knob of one"),
        ("mock-go@context=20", "context is too small"),
        ("mock-go@threads=1+context=512,mock-go@context=512+threads=1", "stands there twice"),
    ],
)
def test_a_mistake_is_told_before_anything_starts(
    polystack: Polystack, results: Path, stacks: str, said: str
) -> None:
    outcome = polystack("compare", "demo", "--stacks", stacks)
    assert outcome.code == 2
    assert said in outcome.err
    assert not results.exists()


def test_prompts_can_begin_alike(polystack: Polystack, results: Path, tmp_path: Path) -> None:
    study_file = tmp_path / "alike.toml"
    study_file.write_text(
        'name = "alike"\ntitle = "t"\nmodel = "gemma-2-tiny"\nstacks = ["mock-cpp"]\n'
        "iterations = 3\nblocks = 1\nwarmup = 1\n[workload]\nprompt_tokens = 40\nnew_tokens = 4\n"
        "shared_prefix_tokens = 30\n"
    )
    outcome = polystack("compare", str(study_file))
    assert outcome.code == 0, outcome.err
    with Store(results / "polystack.sqlite") as store:
        frames = read_frames(store)
    texts = list(frames.samples["prompt_text"])
    assert len(set(texts)) == 4
    assert len({text[:60] for text in texts}) == 1, "30 tokens are more than 60 letters"
    assert set(frames.samples["reference_prompt_tokens"]) == {40}
    assert frames.conditions["prompt_cache"].iloc[0].startswith("all prompts share their first 30")


def test_a_beginning_that_cannot_be_is_told_by_its_key(
    polystack: Polystack, tmp_path: Path
) -> None:
    study_file = tmp_path / "alike.toml"
    study_file.write_text(
        'name = "alike"\ntitle = "t"\nmodel = "gemma-2-tiny"\nstacks = ["mock-cpp"]\n'
        "[workload]\nprompt_tokens = 40\nshared_prefix_tokens = 40\n"
    )
    outcome = polystack("compare", str(study_file))
    assert outcome.code == 2
    assert "workload.shared_prefix_tokens = 40" in outcome.err

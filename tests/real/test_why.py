"""Variants and `polystack why` on real engines, with the tiny model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from python_runner.store import Frames, Store, read_frames
from tests.cells import cell
from tests.real.command import Marked

WORK = ("--threads", "1", "--warmup", "1", "--prompt-tokens", "32", "--new-tokens", "8")


@pytest.fixture
def polystack(tmp_path: Path) -> Marked:
    return Marked(tmp_path)


def frames_of(polystack: Marked, run_id: int) -> Frames:
    with Store(polystack.folder / "results" / "polystack.sqlite") as store:
        return read_frames(store, [run_id])


def test_gos_collector_is_switched_off_in_ollama_and_the_effect_is_told(polystack: Marked) -> None:
    stacks = ("--stacks", "ollama,transformers@gc=off", "--iterations", "6")
    code, printed = polystack.run("compare", "demo", *stacks, *WORK)
    assert code == 0, printed
    code, printed = polystack.run("why", "1", "--only", "gogc")
    assert code == 0, printed
    said = " ".join(printed.split())
    assert "Switching Go's collector off in Ollama (C++ engine) changes E2E latency by" in said
    assert "says nothing about languages" in said

    asked = frames_of(polystack, 1).conditions.set_index("stack")
    assert cell(asked, "transformers@gc=off", "build")["Python's collector"] == "off"
    made = frames_of(polystack, 2)
    conditions = made.conditions.set_index("stack")
    assert cell(conditions, "ollama", "build")["GOGC"].startswith("100")
    assert cell(conditions, "ollama@gogc=off", "build")["GOGC"].startswith("off")
    assert conditions.loc["ollama@gogc=25", "title"] == "Ollama (C++ engine), GOGC 25"
    assert set(conditions["source_sha256"]) == set(asked["source_sha256"])
    assert json.loads(made.runs["study_json"].iloc[0])["explains"] == 1
    assert not made.samples["error"].any()
    assert polystack.processes() == set()


def test_a_prompt_cache_is_used_where_prompts_begin_alike(polystack: Marked) -> None:
    stacks = ("--stacks", "llama-server", "--iterations", "2")
    code, printed = polystack.run("compare", "demo", *stacks, *WORK)
    assert code == 0, printed
    code, printed = polystack.run("why", "1", "--only", "prompt-cache")
    assert code == 0, printed
    samples = frames_of(polystack, 2).samples
    timed = samples[~samples["is_warmup"]]
    kept = {
        stack: {timings["cache_n"] for timings in rows["engine_timings"]}
        for stack, rows in timed.groupby("stack")
    }
    assert kept["llama-server"] == {0.0}
    assert min(kept["llama-server@prompt-cache=on"]) >= 24
    texts = timed.pivot_table(index="iteration", columns="stack", values="text", aggfunc="first")
    assert (texts["llama-server"] == texts["llama-server@prompt-cache=on"]).all()


def test_threads_and_precision_of_a_variant_are_those_that_were_used(polystack: Marked) -> None:
    names = ("llama.cpp", "llama.cpp@precision=8bit", "go-driver@forced-gc=on+gogc=off")
    stacks = ("--stacks", ",".join(names), "--iterations", "1")
    code, printed = polystack.run("compare", "demo", *stacks, *WORK)
    assert code == 0, printed
    found = frames_of(polystack, 1)
    conditions = found.conditions.set_index("stack")
    assert cell(conditions, "llama.cpp", "build")["weights in memory"] == "bf16"
    eight = conditions.loc["llama.cpp@precision=8bit"]
    assert eight["precision"] == "8bit"
    assert cell(conditions, "llama.cpp@precision=8bit", "build")["weights in memory"].startswith(
        "Q8_0"
    )
    assert cell(conditions, "go-driver@forced-gc=on+gogc=off", "build")["GOGC"] == "off"
    driven = found.samples[found.samples["stack"] == "go-driver@forced-gc=on+gogc=off"]
    assert all(timings["gc_cycles"] >= 8 for timings in driven["engine_timings"])

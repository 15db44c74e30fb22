"""The preflight on real engines: what they say, and what stops them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from python_runner.analyse.fairness import fairness_table
from python_runner.common.errors import UnfairError
from python_runner.common.progress import SilentProgress
from python_runner.run import compare
from python_runner.store import Frames, Store, read_frames
from python_runner.study import Overrides, load_study

BRIEFLY = Overrides(
    model="gemma-2-tiny", threads=1, context=128, iterations=1, warmup=0, new_tokens=8
)
STACKS = ("llama.cpp", "llama-server", "ollama", "mistral.rs")


def run(study: str, store: Store, overrides: Overrides) -> Frames:
    outcome = compare(
        load_study(study, overrides), store, logs=store.path.parent, progress=SilentProgress()
    )
    assert outcome.broken == {}
    return read_frames(store, [outcome.run_id])


def test_what_engines_say_of_themselves_is_held_against_each_other(tmp_path: Path) -> None:
    with Store(tmp_path / "store.sqlite") as store:
        frames = run("matched", store, replace(BRIEFLY, stacks=STACKS))
    table = fairness_table(frames.conditions)
    found = {row["key"]: row for row in table.to_dict(orient="records")}
    blocking = {key: row["equality"] for key, row in found.items() if row["blocks"]}
    assert blocking.pop("precision") == "different"
    assert blocking.pop("prompt-ids") == "unknown"
    assert set(blocking.values()) == {"equal"}
    assert found["precision"]["holders"]["32 bits"] == ("mistral.rs",)
    assert found["prompt-ids"]["unknown"] == ("Ollama (C++ engine)",)
    assert len(found["prompt-ids"]["holders"]) == 1
    assert set(found["kv-cache"]["holders"]) == {"f16", "f32"}
    assert found["affinity"]["equality"] == "equal"
    assert list(frames.runs["allowed_unfair"]) == [["precision"]]


def test_other_bits_are_refused_before_anything_starts(tmp_path: Path) -> None:
    study = tmp_path / "mine.toml"
    study.write_text(
        'name = "mine"\ntitle = "t"\nmodel = "gemma-2-tiny"\nstacks = ["llama.cpp", "mistral.rs"]\n'
    )
    with (
        Store(tmp_path / "store.sqlite") as store,
        pytest.raises(UnfairError, match=r"16 bits \(llama.cpp\), 32 bits \(mistral.rs\)"),
    ):
        run(str(study), store, BRIEFLY)

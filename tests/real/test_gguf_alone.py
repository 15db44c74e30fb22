"""A GGUF file alone, and what the user has pulled into Ollama: by whom they are run, and how."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from python_runner.common.errors import ModelError, UsageError
from python_runner.common.progress import SilentProgress
from python_runner.engines.build.llamacpp import llama_cpp_prefix
from python_runner.engines.ollama import store as ollama_store
from python_runner.engines.table import built_engine_names, engine
from python_runner.models import Model, ReferenceTokenizer, cards, prepare_model
from python_runner.run import Comparison, compare
from python_runner.store import Frames, Store, read_frames
from python_runner.study import Overrides, load_study

STACKS = built_engine_names()
READERS = {name for name in STACKS if engine(name).spec.model_format == "gguf"}


@pytest.fixture(scope="module")
def tiny() -> Model:
    return prepare_model("gemma-2-tiny", {"bf16"}, SilentProgress())


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is derived here goes there; the builds stay where they are."""
    monkeypatch.setattr(cards, "cache_dir", lambda: tmp_path / "cache")
    monkeypatch.setattr(ollama_store, "ollama_dir", lambda: tmp_path / "cache" / "ollama")


def run(
    model: str, tmp_path: Path, *, stacks: tuple[str, ...] = STACKS, template: str = "raw"
) -> tuple[Comparison, Frames]:
    overrides = Overrides(
        model=model,
        stacks=stacks,
        threads=1,
        iterations=1,
        warmup=0,
        prompt_tokens=24,
        new_tokens=12,
        template=template,
    )
    with Store(tmp_path / "store.sqlite", create=True) as store:
        outcome = compare(
            load_study("demo", overrides), store, logs=tmp_path, progress=SilentProgress()
        )
        return outcome, read_frames(store, [outcome.run_id])


@pytest.mark.parametrize("template", ["raw", "chat"])
def test_a_quantised_file_is_run_by_those_who_read_it(
    tiny: Model, tmp_path: Path, template: str
) -> None:
    quantised = tmp_path / "Tiny in eight bits.gguf"
    quantize = llama_cpp_prefix(SilentProgress()) / "bin" / "llama-quantize"
    subprocess.run(
        [quantize, tiny.gguf["bf16"], quantised, "Q8_0", "1"], check=True, capture_output=True
    )
    outcome, frames = run(str(quantised), tmp_path, template=template)
    assert set(outcome.broken) == set(STACKS) - READERS
    assert all("is a GGUF file alone" in reason for reason in outcome.broken.values())
    samples = frames.samples
    assert set(samples["stack"]) == READERS
    assert not any(samples["error"])
    assert len(set(samples["text"])) == 1
    measured = frames.conditions[frames.conditions["stack"].isin(READERS)]
    assert set(measured["precision"]) == {"q8_0"}
    assert set(measured["model_label"]) == {"Tiny in eight bits"}
    (prompt,) = set(samples["prompt_text"])
    assert len(ReferenceTokenizer(tiny.folder).encode(prompt)) == 24, "the same as the model's own"
    assert prompt.startswith("<start_of_turn>user") == (template == "chat")


def test_what_the_user_has_pulled_is_run_and_left_alone(
    tiny: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = tmp_path / "theirs"
    monkeypatch.setenv("OLLAMA_MODELS", str(theirs))
    content = tiny.gguf["bf16"].read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    blob = theirs / "blobs" / f"sha256-{digest}"
    manifest = theirs / "manifests" / "some.host" / "library" / "tiny" / "2b"
    for file in (blob, manifest):
        file.parent.mkdir(parents=True)
    blob.write_bytes(content)
    layer = {"mediaType": "application/vnd.ollama.image.model", "digest": f"sha256:{digest}"}
    manifest.write_text(json.dumps({"config": {**layer, "mediaType": "x"}, "layers": [layer]}))
    before = sorted(theirs.rglob("*"))
    outcome, frames = run("ollama:tiny:2b", tmp_path, stacks=("llama.cpp", "ollama"))
    assert outcome.broken == {}
    assert len(set(frames.samples["text"])) == 1
    assert set(frames.conditions["source_sha256"]) == {digest}
    assert sorted(theirs.rglob("*")) == before
    assert hashlib.sha256(blob.read_bytes()).hexdigest() == digest


def test_nobody_to_read_it_is_told_before_anything_starts(tiny: Model, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no stack of this study reads"):
        run(str(tiny.gguf["bf16"]), tmp_path, stacks=("transformers",))


def test_a_file_that_is_cut_short_ends_without_a_traceback(tiny: Model, tmp_path: Path) -> None:
    """Its beginning is whole, and tells of tensors that are not there: nothing is started."""
    short = tmp_path / "short.gguf"
    shutil.copy(tiny.gguf["bf16"], short)
    with short.open("r+b") as file:
        file.truncate(short.stat().st_size // 2)
    with pytest.raises(ModelError, match="a tensor lies behind its end"):
        run(str(short), tmp_path, stacks=("llama.cpp",))

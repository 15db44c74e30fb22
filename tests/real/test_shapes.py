"""Models of other shapes than Gemma-2's, from the user's folder through every stack."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from python_runner.common.progress import SilentProgress
from python_runner.engines.ollama import store as ollama_store
from python_runner.engines.table import DEFAULT_STACKS, engine
from python_runner.models import cards, ct2, gguf
from python_runner.run import Comparison, compare
from python_runner.store import Frames, Store, read_frames
from python_runner.study import Overrides, load_study
from tests.shapes import LLAMA, QWEN2, SHAPES, Shape, write_model

NEW_TOKENS = 12
# Every way to each engine: a server or a wheel may read a model otherwise than a library.
STACKS = (*DEFAULT_STACKS, "llama-server", "mistral.rs-wheel", "ctranslate2")
GGUF_READERS = {name for name in STACKS if engine(name).spec.model_format == "gguf"}


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What is derived here goes there; llama.cpp's source and builds stay where they are."""
    for module in (cards, gguf, ct2):
        monkeypatch.setattr(module, "cache_dir", lambda: tmp_path / "cache")
    monkeypatch.setattr(ollama_store, "ollama_dir", lambda: tmp_path / "cache" / "ollama")
    return tmp_path / "cache"


def run(model: Path, tmp_path: Path, template: str = "raw") -> tuple[Comparison, Frames]:
    overrides = Overrides(
        model=str(model),
        stacks=STACKS,
        threads=1,
        context=128,
        iterations=1,
        warmup=0,
        prompt_tokens=24,
        new_tokens=NEW_TOKENS,
        template=template,
        # Ollama reuses the opening that all prompts have in common.
        allow_unfair=("prompt-cache",) if template == "chat" else (),
    )
    with Store(tmp_path / "store.sqlite", create=True) as store:
        outcome = compare(
            load_study("demo", overrides), store, logs=tmp_path, progress=SilentProgress()
        )
        return outcome, read_frames(store, [outcome.run_id])


@pytest.mark.parametrize(
    ("shape", "template"),
    [*((shape, "raw") for shape in SHAPES), (QWEN2, "chat")],
    ids=lambda value: getattr(value, "name", value),
)
def test_all_stacks_run_it_and_say_the_same(
    shape: Shape, template: str, cache: Path, tmp_path: Path
) -> None:
    outcome, frames = run(write_model(tmp_path / shape.name, shape), tmp_path, template)
    assert outcome.broken == {}
    samples = frames.samples
    assert set(samples["stack"]) == set(STACKS)
    assert not any(samples["error"])
    assert set(samples["output_tokens"]) == {NEW_TOKENS}
    answers = {tuple(ids) for ids in samples["token_ids"] if ids is not None}
    assert len(answers) == 1
    assert text_of(samples, "ollama") == text_of(samples, "llama.cpp")


def text_of(samples: pd.DataFrame, stack: str) -> str:
    (text,) = samples[samples["stack"] == stack]["text"]
    return str(text)


def test_a_model_that_cannot_be_converted_is_run_by_those_who_read_it(
    cache: Path, tmp_path: Path
) -> None:
    """Without tokenizer.model the converter meets a tokenizer that llama.cpp does not know."""
    folder = write_model(tmp_path / "unknown", QWEN2)
    (folder / "tokenizer.model").unlink()
    outcome, frames = run(folder, tmp_path)
    assert set(outcome.broken) == GGUF_READERS
    assert all("to GGUF failed" in reason for reason in outcome.broken.values())
    assert set(frames.samples["stack"]) == set(STACKS) - GGUF_READERS
    assert not any(frames.samples["error"])


def test_penalties_that_a_model_brings_along_do_not_count(cache: Path, tmp_path: Path) -> None:
    """Else one engine would obey generation_config.json and another not."""
    lasting = replace(LLAMA, generation={"repetition_penalty": 30.0}, step=0)
    outcome, frames = run(write_model(tmp_path / "penalty", lasting), tmp_path)
    assert outcome.broken == {}
    for ids in frames.samples["token_ids"]:
        assert ids is None or len(set(ids)) == 1

"""Models as real readers see them: llama.cpp's converter and tokenizer, transformers."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from python_runner.common.build.extension import import_extension
from python_runner.common.errors import ModelError
from python_runner.common.locations import source_root
from python_runner.common.progress import SilentProgress
from python_runner.engines.build.llamacpp import llama_binding, llama_quantize
from python_runner.models import (
    Model,
    ModelCard,
    ReferenceTokenizer,
    cards,
    gguf,
    prepare_model,
    require_model,
)
from python_runner.models.gguf_file import read_gguf, stored_types
from python_runner.models.quantise import make_quantised
from python_runner.models.tokenizer.vocabulary import END_OF_TURN_ID, EOS_ID

if TYPE_CHECKING:
    import polystack_llama

NEW_TOKENS = 64
ROBUST_MARGIN = 0.5
"""In logits. bfloat16 moves the tiny model's logits by a few hundredths."""
_DATA = source_root() / "tests" / "data"
CASES = json.loads((_DATA / "tokenizer_cases.json").read_text("utf-8"))["cases"]
PROMPTS = json.loads((_DATA / "heldout_prompts.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def tiny() -> Model:
    return prepare_model("gemma-2-tiny", {"bf16"}, SilentProgress())


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A model with the full vocabulary of 256,000 pieces and next to no weights."""
    described = require_model("gemma-2-2b-synthetic").model_dump()
    described["name"], described["sha256"] = "wide", ""
    described["shape"] |= {"hidden": 32, "intermediate": 32, "layers": 2, "heads": 2, "kv_heads": 1}
    described["shape"] |= {"head": 32, "context": 512, "sliding_window": 64}
    card = ModelCard.model_validate(described)
    cache = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        # Only what is made here goes there: llama.cpp's source and build stay where they are.
        patch.setattr(cards, "cache_dir", lambda: cache)
        patch.setattr(gguf, "cache_dir", lambda: cache)
        patch.setattr(cards, "catalogue", lambda: (card,))
        return prepare_model("wide", {"bf16"}, SilentProgress())


@pytest.fixture(params=["tiny", "wide"])
def model(request: pytest.FixtureRequest) -> Model:
    found: Model = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def llama(model: Model) -> polystack_llama.Model:
    import_extension(llama_binding(SilentProgress()), "polystack_llama")
    import polystack_llama

    return polystack_llama.Model(str(model.gguf["bf16"]), threads=1, context=128)


def test_the_gguf_says_what_it_was_made_of(model: Model) -> None:
    path = model.gguf["bf16"]
    record = json.loads(path.with_suffix(".json").read_text())
    assert record["source_sha256"] == model.source_sha256
    assert record["size"] == path.stat().st_size
    with path.open("rb") as data:
        assert f"source_sha256={model.source_sha256}".encode() in data.read(4096)


def test_a_gguf_is_made_once(tiny: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gguf, "start_child", lambda *_, **__: pytest.fail("converted again"))
    assert prepare_model("gemma-2-tiny", {"bf16"}, SilentProgress()) == tiny


def test_a_quantised_gguf_says_what_it_was_made_of_and_holds(tiny: Model) -> None:
    made = prepare_model("gemma-2-tiny", {"q8_0"}, SilentProgress(), quantiser=llama_quantize)
    path = made.gguf["q8_0"]
    assert json.loads(path.with_suffix(".json").read_text())["precision"] == "q8_0"
    with path.open("rb") as data:
        assert f"source_sha256={tiny.source_sha256}".encode() in data.read(4096)
    shares = stored_types(path)
    assert list(shares) == ["Q8_0", "f32"]
    assert shares["f32"] < 0.01, "norms only"
    assert read_gguf(path).precision == "q8_0"


def test_a_failed_quantisation_shows_the_end_of_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gguf, "cache_dir", lambda: tmp_path / "cache")
    noise = tmp_path / "noise.gguf"
    noise.write_bytes(b"GGUF is another thing")
    with pytest.raises(ModelError, match="could not be quantised to Q8_0") as raised:
        make_quantised(
            noise,
            "q8_0",
            name="noise",
            source_sha256="0" * 64,
            quantiser=llama_quantize,
            progress=SilentProgress(),
        )
    assert "failed to" in raised.value.message
    assert not list((tmp_path / "cache" / "models" / "gguf").glob("*.gguf"))


def test_llama_cpp_reads_every_text_like_the_reference(
    model: Model, llama: polystack_llama.Model
) -> None:
    reference = ReferenceTokenizer(model.folder)
    for text in texts():
        assert tuple(llama.tokenize(text, add_bos=True)) == reference.encode(text), text


def test_transformers_reads_every_text_like_the_reference(model: Model) -> None:
    from transformers import AutoTokenizer

    reference = ReferenceTokenizer(model.folder)
    tokenizer = AutoTokenizer.from_pretrained(model.folder)
    assert len(tokenizer) == reference.piece_count
    for text in texts():
        assert tuple(tokenizer(text)["input_ids"]) == reference.encode(text), text


def texts() -> Iterator[str]:
    """The test set, and 300 mixtures of what is in it."""
    yield from (case["text"] for case in CASES)
    chance = random.Random(20240)  # noqa: S311 - texts, no secrets
    for _ in range(300):
        parts = [chance.choice(CASES)["text"] for _ in range(3)]
        yield "".join(part[chance.randrange(len(part)) :][:12] for part in parts)


@pytest.fixture(scope="module")
def network(tiny: Model) -> Iterator[Any]:
    """The tiny model in transformers, in bfloat16."""
    import torch
    from transformers import AutoModelForCausalLM

    threads = torch.get_num_threads()
    # The model is too small to be shared out among threads.
    torch.set_num_threads(1)
    yield AutoModelForCausalLM.from_pretrained(
        tiny.folder, dtype=torch.bfloat16, attn_implementation="eager"
    )
    torch.set_num_threads(threads)


@pytest.mark.parametrize("prompt", PROMPTS["prompts"], ids=lambda prompt: prompt["kind"])
def test_the_tiny_model_is_right_and_sure(
    tiny: Model, network: Any, prompt: dict[str, str]
) -> None:
    tokenizer = ReferenceTokenizer(tiny.folder)
    ids, margin = answer(network, tokenizer.encode(prompt["prompt"]))
    assert ids == tokenizer.encode(prompt["answer"])[1:][:NEW_TOKENS]
    assert margin > ROBUST_MARGIN


def test_the_tiny_model_ends_after_a_goodbye(tiny: Model, network: Any) -> None:
    tokenizer = ReferenceTokenizer(tiny.folder)
    prompt = PROMPTS["ends_by_itself"]
    ids, margin = answer(network, tokenizer.encode(prompt["prompt"]))
    assert ids == (*tokenizer.encode(prompt["answer"])[1:], EOS_ID)
    assert margin > ROBUST_MARGIN


def test_random_words_are_not_taken_for_the_end(tiny: Model, network: Any) -> None:
    """What the workbench fills prompts with must not stop an engine early."""
    words = (source_root() / "python_runner/measure/words.txt").read_text().split()
    tokenizer = ReferenceTokenizer(tiny.folder)
    chance = random.Random(1)  # noqa: S311 - texts, no secrets
    for _ in range(10):
        text = " ".join(chance.sample(words, 20))
        ids, _ = answer(network, tokenizer.encode(text))
        assert len(ids) == NEW_TOKENS, text


def answer(network: Any, prompt: tuple[int, ...]) -> tuple[tuple[int, ...], float]:
    """Greedy tokens, and the smallest difference between the two largest logits."""
    import torch

    with torch.inference_mode():
        result = network.generate(
            torch.tensor([prompt]),
            attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
            max_new_tokens=NEW_TOKENS,
            do_sample=False,
            eos_token_id=[EOS_ID, END_OF_TURN_ID],
            pad_token_id=0,
            output_logits=True,
            return_dict_in_generate=True,
        )
    best = torch.stack(result.logits).float().topk(2).values
    margin = float((best[..., 0] - best[..., 1]).min())
    return tuple(result.sequences[0, len(prompt) :].tolist()), margin


def test_a_failed_conversion_shows_the_end_of_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gguf, "cache_dir", lambda: tmp_path / "cache")
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(ModelError, match="failed") as raised:
        gguf.make_gguf(
            empty,
            name="empty",
            source_sha256="0" * 64,
            expected_bytes=1,
            progress=SilentProgress(),
        )
    assert "config.json" in raised.value.message
    assert raised.value.hint.startswith("The whole log: ")
    assert not list((tmp_path / "cache" / "models" / "gguf").glob("*.gguf"))

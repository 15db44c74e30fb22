"""The held-out prompts were not in the text that the tiny model was trained on."""

import importlib.util
import itertools
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

from python_runner.common.locations import source_root
from python_runner.models import ReferenceTokenizer
from python_runner.models.cards import models_dir

FOLDER = models_dir() / "gemma-2-tiny"
DATA = json.loads((source_root() / "tests/data/heldout_prompts.json").read_text("utf-8"))
PROMPTS = [*DATA["prompts"], DATA["ends_by_itself"]]
NEW_TOKENS = 64


@pytest.fixture(scope="module")
def scripts() -> dict[str, ModuleType]:
    """The scripts beside the weights, imported as they import each other."""
    loaded = {}
    for name in ("corpus", "schedule", "heldout"):
        spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        loaded[name] = module
    for name in loaded:
        del sys.modules[name]
    return loaded


@pytest.fixture(scope="module")
def tokenizer() -> ReferenceTokenizer:
    return ReferenceTokenizer(FOLDER)


def test_no_prompt_is_in_the_training_text(scripts: dict[str, ModuleType]) -> None:
    corpus, schedule = scripts["corpus"], scripts["schedule"]
    stream = corpus.documents(schedule.SEED)
    prompts = [prompt["prompt"] for prompt in PROMPTS]
    for document in itertools.islice(stream, schedule.DOCUMENTS):
        assert not document.is_held_out
        text = document.opening + document.rest
        assert not any(prompt in text for prompt in prompts)


def test_the_prompts_are_those_the_script_chooses(scripts: dict[str, ModuleType]) -> None:
    heldout = scripts["heldout"]
    assert list(heldout.prompts()) == DATA["prompts"]
    assert heldout.farewell() == DATA["ends_by_itself"]


def test_there_are_twenty_different_prompts_of_every_kind() -> None:
    assert len({prompt["prompt"] for prompt in DATA["prompts"]}) == 20
    assert {prompt["kind"] for prompt in DATA["prompts"]} == {
        *("cycle", "words", "verse", "count", "days", "months", "letters")
    }


def test_every_answer_is_long_enough_to_be_compared(tokenizer: ReferenceTokenizer) -> None:
    for prompt in DATA["prompts"]:
        assert len(tokenizer.encode(prompt["answer"])) > NEW_TOKENS


def test_several_prompts_are_longer_than_the_sliding_window(tokenizer: ReferenceTokenizer) -> None:
    window = json.loads((FOLDER / "config.json").read_text())["sliding_window"]
    lengths = [len(tokenizer.encode(prompt["prompt"])) for prompt in DATA["prompts"]]
    assert sum(length > window for length in lengths) >= 3


def test_only_one_kind_of_document_ends(scripts: dict[str, ModuleType]) -> None:
    corpus = scripts["corpus"]
    drawn = list(itertools.islice(corpus.documents(1), 500))
    assert {document.kind for document in drawn if document.ends} == {"farewell"}
    assert {document.kind for document in drawn} == set(corpus.MAKERS)
    for document in drawn:
        assert document.ends == ("goodbye" in document.rest)


def test_the_parts_of_a_document_can_be_encoded_apart(
    scripts: dict[str, ModuleType], tokenizer: ReferenceTokenizer
) -> None:
    for document in itertools.islice(scripts["corpus"].documents(2), 50):
        rest = document.rest[:300]
        whole = tokenizer.encode(document.opening + rest)
        assert whole == (*tokenizer.encode(document.opening), *tokenizer.encode(rest)[1:])


def test_the_model_is_small(tmp_path: Path) -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir() if path.is_file()) < 4_000_000

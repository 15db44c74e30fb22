"""What the manifests say, and that a wrong one is refused."""

from math import gcd
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from python_runner.common.errors import ModelError, UnknownNameError
from python_runner.models import ModelCard, catalogue, require_model
from python_runner.models import cards as cards_module
from python_runner.models.architectures.gemma2 import GemmaShape
from python_runner.models.architectures.llama import LlamaShape
from python_runner.models.tokenizer.vocabulary import FIRST_PIECE_ID

# What the publishers count; for Llama-3 and 3.1 it is the same.
PARAMETERS = {
    "Gemma-2-2B": 2_614_341_888,
    "Llama-2-7B": 6_738_415_616,
    "Llama-3-8B": 8_030_261_248,
    "Llama-3.1-8B": 8_030_261_248,
    "Mistral-7B-v0.3": 7_248_023_552,
    "Qwen2-7B": 7_615_616_512,
}
BIG = 1_000_000_000


def cards_of(family: str) -> list[ModelCard]:
    return [card for card in catalogue() if card.family == family]


def test_every_family_has_real_weights_and_random_ones_of_every_size() -> None:
    assert {card.family for card in catalogue()} == PARAMETERS.keys()
    for family, published in PARAMETERS.items():
        cards = cards_of(family)
        assert any(card.hub for card in cards)
        sizes = sorted(card.shape.parameters for card in cards if not card.hub)
        assert sizes[0] < 10_000_000, "tiny"
        assert sizes[-1] == published, "of the real size"
        if family != "Gemma-2-2B":
            assert 300_000_000 < sizes[1] < 500_000_000, "small"


def test_files_are_named_as_their_models() -> None:
    names = [path.stem for path in sorted(cards_module.models_dir().glob("*.toml"))]
    assert [card.name for card in catalogue()] == names


@pytest.mark.parametrize("family", PARAMETERS)
def test_large_models_have_exactly_the_size_that_is_published(family: str) -> None:
    large = [card for card in cards_of(family) if card.shape.parameters > BIG]
    assert {card.shape.parameters for card in large} == {PARAMETERS[family]}
    assert [card.is_synthetic for card in large].count(True) == 1


def test_what_was_made_before_other_architectures_came_keeps_its_folder(cache: Path) -> None:
    folder = require_model("gemma-2-2b-synthetic").folder
    assert folder == cache / "models" / "gemma-2-2b-synthetic-68a8e770a20ae3bd"


@pytest.mark.parametrize("family", [name for name in PARAMETERS if name != "Gemma-2-2B"])
def test_smaller_ones_have_the_features_of_the_architecture(family: str) -> None:
    (original, *_), smaller = (
        [card.shape for card in cards_of(family) if (card.shape.parameters > BIG) == is_large]
        for is_large in (True, False)
    )
    for shape in smaller:
        assert type(shape) is type(original)
        assert (shape.rope_theta, shape.norm_eps) == (original.rope_theta, original.norm_eps)
        assert shape.tokenizer == original.tokenizer
        assert shape.heads % shape.kv_heads == 0
        assert shape.kv_heads > 1
        # Grouped queries in the same groups, or none.
        assert shape.heads // shape.kv_heads == original.heads // original.kv_heads
        # Blocks of 32 weights are what Q8_0 quantises.
        assert shape.hidden % 32 == shape.intermediate % 32 == shape.head % 32 == 0
        assert shape.config().keys() == original.config().keys()


def test_the_tiny_model_has_all_features_of_the_architecture() -> None:
    shape = require_model("gemma-2-tiny").shape
    assert isinstance(shape, GemmaShape)
    assert shape.sliding_window < shape.context
    assert shape.kv_heads < shape.heads
    assert set(shape.layer_types()) == {"sliding_attention", "full_attention"}
    # Blocks of 32 weights are what Q8_0 quantises.
    assert shape.hidden % 32 == shape.intermediate % 32 == shape.head % 32 == 0


def test_config_names_everything_both_generations_of_readers_look_for(
    small_card: ModelCard,
) -> None:
    config = small_card.shape.config()
    assert config["rope_theta"] == 10000.0
    assert config["rope_parameters"] == {"rope_type": "default", "rope_theta": 10000.0}
    assert config["hidden_act"] == config["hidden_activation"] == "gelu_pytorch_tanh"
    assert config["layer_types"] == ["sliding_attention", "full_attention"]
    assert config["tie_word_embeddings"] is True


def test_positions_are_stretched_in_the_words_of_both_readers() -> None:
    config = require_model("llama-3.1-8b").shape.config()
    scaling = {
        "rope_type": "llama3",
        "factor": 8.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 8192,
    }
    assert config["rope_scaling"] == scaling
    assert config["rope_parameters"] == {**scaling, "rope_theta": 500_000.0}
    unstretched = require_model("llama-3-8b").shape.config()
    assert unstretched["rope_scaling"] is None
    assert unstretched["rope_parameters"] == {"rope_type": "default", "rope_theta": 500_000.0}


def test_configs_say_what_their_architecture_has() -> None:
    llama, mistral, qwen2 = (
        require_model(name).shape.config() for name in ("llama-2-7b", "mistral-7b-v0.3", "qwen2-7b")
    )
    assert (llama["model_type"], llama["architectures"]) == ("llama", ["LlamaForCausalLM"])
    assert llama["num_key_value_heads"] == llama["num_attention_heads"]
    assert (mistral["model_type"], mistral["sliding_window"]) == ("mistral", None)
    assert (qwen2["model_type"], qwen2["use_sliding_window"]) == ("qwen2", False)
    assert not any(config["tie_word_embeddings"] for config in (llama, mistral, qwen2))
    biases = {name for name, _ in require_model("qwen2-7b").shape.tensors() if "bias" in name}
    assert len(biases) == 3 * 28


def test_no_piece_comes_twice_before_all_have_come() -> None:
    for card in catalogue():
        if isinstance(card.shape, LlamaShape):
            pieces = card.shape.vocabulary - FIRST_PIECE_ID
            assert gcd(card.shape.step, pieces) == 1


def test_an_unknown_model_is_named_with_the_closest_known_one() -> None:
    with pytest.raises(UnknownNameError, match="gemma-2-tinny") as raised:
        require_model("gemma-2-tinny")
    assert "Did you mean 'gemma-2-tiny'?" in raised.value.hint


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"label": "small"}, "random weights"),
        ({"random": None}, "random"),
        ({"sha256": "abc"}, "sha256"),
        ({"colour": "red"}, "colour"),
        ({"weights": "found"}, "weights"),
        ({"architecture": "gemma9"}, "gemma2, llama, mistral, qwen2"),
        ({"architecture": "llama"}, "sliding_window"),
    ],
)
def test_a_wrong_manifest_is_refused(
    small_card: ModelCard, change: dict[str, Any], named: str
) -> None:
    with pytest.raises(ValidationError, match=named):
        ModelCard.model_validate({**small_card.model_dump(), **change})


def test_a_manifest_that_cannot_be_read_is_a_model_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken.toml").write_text("name = ")
    monkeypatch.setattr(cards_module, "models_dir", lambda: tmp_path)
    with pytest.raises(ModelError, match=r"broken\.toml"):
        catalogue()


def test_another_seed_is_another_folder(cache: Path, small_card: ModelCard) -> None:
    other = ModelCard.model_validate({**small_card.model_dump(), "random": {"seed": 8}})
    assert small_card.folder != other.folder
    assert small_card.folder.is_relative_to(cache)


def test_the_trained_model_is_used_where_it_lies(cache: Path) -> None:
    card = require_model("gemma-2-tiny")
    assert card.is_ready()
    assert card.folder == cards_module.models_dir() / "gemma-2-tiny"
    assert card.record.is_relative_to(cache)

"""What the manifests say, and that a wrong one is refused."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from python_runner.common.errors import ModelError, UnknownNameError
from python_runner.models import ModelCard, catalogue, require_model
from python_runner.models import cards as cards_module

GEMMA_2_2B_PARAMETERS = 2_614_341_888


def test_all_models_are_listed() -> None:
    names = ["gemma-2-2b-it", "gemma-2-2b-synthetic", "gemma-2-tiny"]
    assert [card.name for card in catalogue()] == names


def test_the_synthetic_model_has_exactly_the_size_of_gemma_2_2b() -> None:
    card = require_model("gemma-2-2b-synthetic")
    assert card.shape.parameters == GEMMA_2_2B_PARAMETERS
    assert card.is_synthetic
    assert "random weights" in card.label


def test_the_tiny_model_has_all_features_of_the_architecture() -> None:
    shape = require_model("gemma-2-tiny").shape
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

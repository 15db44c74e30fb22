"""Folders for CTranslate2: how often they are made, listed, removed; nothing is converted here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace as Bag
from typing import Any

import pytest

from python_runner.common.errors import ModelError
from python_runner.common.progress import SilentProgress
from python_runner.models import Model, ModelCard, cards, ct2, prepare_model
from python_runner.models.ct2_complete import complete
from python_runner.models.derived import record_of
from python_runner.models.inventory import forms, remove_form
from python_runner.models.sizes import still_to_write
from python_runner.models.source import listed_source


@pytest.fixture
def runs(cache: Path, small_card: ModelCard, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The kind that each run of the converter was asked for."""
    monkeypatch.setattr(cards, "catalogue", lambda: (small_card,))
    found: list[str] = []

    def write(command: list[Any], made: Path, expected: int, **_: object) -> None:
        found.append(str(command[-1]))
        made.parent.mkdir()
        made.write_bytes(bytes(expected))
        for name in ("config.json", "vocabulary.json"):
            made.with_name(name).write_text("{}")

    monkeypatch.setattr(ct2, "write_file", write)
    return found


def model(*kinds: str) -> Model:
    return prepare_model("small", (), SilentProgress(), ct2=kinds)


def test_each_kind_is_made_once_and_by_itself(runs: list[str]) -> None:
    first = model("bf16").ct2
    assert list(first) == ["bf16"]
    assert all(path.is_dir() for path in first.values())
    both = model("int8", "bf16").ct2
    assert list(both) == ["bf16", "int8"]
    assert both["bf16"] == first["bf16"]
    assert runs == ["bf16", "int8"]
    assert model("int8", "bf16").ct2 == both
    assert runs == ["bf16", "int8"]


def test_nobody_gets_one_who_does_not_ask(runs: list[str]) -> None:
    assert model().ct2 == {}
    assert runs == []


def test_another_release_of_the_converter_makes_it_anew(
    runs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    old = model("bf16").ct2
    monkeypatch.setattr(ct2, "_converter", lambda: "99.0")
    assert model("bf16").ct2 != old
    assert runs == ["bf16", "bf16"]


@pytest.mark.parametrize("lost", ["model.bin", "vocabulary.json"])
def test_a_damaged_one_is_told(runs: list[str], lost: str) -> None:
    (path,) = model("bf16").ct2.values()
    (path / lost).unlink()
    with pytest.raises(ModelError, match=f"damaged: {lost} is missing"):
        model("bf16")


def test_weights_of_another_size_are_told(runs: list[str]) -> None:
    (path,) = model("bf16").ct2.values()
    (path / "model.bin").write_bytes(b"half")
    with pytest.raises(ModelError, match=r"model\.bin has 4 bytes, made with"):
        model("bf16")


def test_one_without_a_record_was_never_finished(runs: list[str]) -> None:
    (path,) = model("bf16").ct2.values()
    record_of(path).unlink()
    assert model("bf16").ct2 == {"bf16": path}
    assert runs == ["bf16", "bf16"]


def test_it_is_listed_and_removed_with_its_record(runs: list[str]) -> None:
    made = model("bf16", "int8").ct2
    listed = {form.path: form for form in forms() if form.model == "small"}
    assert {listed[path].kind for path in made.values()} == {
        "CTranslate2 bf16",
        "CTranslate2 int8",
    }
    for path in made.values():
        assert listed[path].is_ours
        assert listed[path].bytes > 0
        remove_form(path)
    assert [path for path in ct2.ct2_dir().iterdir() if not path.name.endswith(".lock")] == []
    assert model("bf16").ct2 == {"bf16": made["bf16"]}


def test_what_is_still_to_be_written_is_told(runs: list[str], small_card: ModelCard) -> None:
    source = listed_source(small_card)

    def missing(*kinds: str) -> Mapping[str, int]:
        return {each.form: each.bytes for each in still_to_write(source, (), kinds)}

    both = missing("int8", "bf16")
    assert list(both) == ["safetensors", "CTranslate2 in bf16", "CTranslate2 in int8"]
    assert both["CTranslate2 in int8"] < both["CTranslate2 in bf16"] == both["safetensors"]
    model("bf16")
    assert list(missing("int8", "bf16")) == ["CTranslate2 in int8"]


def gemma2(**more: object) -> Any:
    return Bag(
        **{
            "model_type": "gemma2",
            "rope_parameters": {"rope_theta": 5000.0},
            "final_logit_softcapping": 30.0,
            "query_pre_attn_scalar": 64,
            "num_key_value_heads": 2,
            "sliding_window": 16,
            "layer_types": ["sliding_attention", "full_attention"],
            **more,
        }
    )


def decoder() -> Any:
    return Bag(layer=[Bag(self_attention=Bag(rotary_base=10000.0)) for _ in range(2)])


def test_gemma_2_gets_its_window_its_scale_and_its_last_cap() -> None:
    made = decoder()
    complete(made, gemma2())
    local, whole = (layer.self_attention for layer in made.layer)
    assert made.final_logit_softcapping == 30.0
    assert (local.sliding_window, hasattr(whole, "sliding_window")) == (16, False)
    assert local.queries_scale == whole.queries_scale == 0.125
    assert local.rotary_base == whole.rotary_base == 5000.0


def test_with_one_head_of_keys_there_is_no_window() -> None:
    made = decoder()
    complete(made, gemma2(num_key_value_heads=1))
    assert not any(hasattr(layer.self_attention, "sliding_window") for layer in made.layer)


def test_of_other_models_only_the_base_of_positions_is_set() -> None:
    made = decoder()
    complete(made, Bag(model_type="llama", rope_parameters={"rope_theta": 500000.0}))
    assert [vars(layer.self_attention) for layer in made.layer] == [{"rotary_base": 500000.0}] * 2
    untouched = decoder()
    complete(untouched, Bag(model_type="llama"))
    assert untouched == decoder()

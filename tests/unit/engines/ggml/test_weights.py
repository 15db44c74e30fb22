"""Which file of weights an engine is given, and what is said of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from python_runner.common.errors import EngineStartError
from python_runner.engines.contract import LaunchSettings
from python_runner.engines.ggml import weights
from python_runner.engines.ggml.weights import gguf_of, weights_held
from python_runner.engines.llama.llamacpp import SPEC as LLAMA
from python_runner.engines.ollama.engine import SPEC as OLLAMA
from tests.unit.engines.helpers import settings_for


def having(folder: Path, precision: str, *kinds: str) -> LaunchSettings:
    settings = settings_for(folder)
    model = replace(settings.model, gguf={kind: folder / f"{kind}.gguf" for kind in kinds})
    return replace(settings, model=model, precision=precision)


@pytest.mark.parametrize(
    ("precision", "llama", "ollama"),
    [("bf16", "bf16", "bf16"), ("8bit", "q8_0", "q8_0"), ("shipped", "q4_k_m", "q4_0")],
)
def test_each_engine_takes_its_file_for_the_word_of_the_study(
    tmp_path: Path, precision: str, llama: str, ollama: str
) -> None:
    settings = having(tmp_path, precision, "bf16", "q8_0", "q4_0", "q4_k_m")
    assert gguf_of(LLAMA, settings).stem == llama
    assert gguf_of(OLLAMA, settings).stem == ollama


def test_a_file_alone_is_taken_as_it_is(tmp_path: Path) -> None:
    assert gguf_of(LLAMA, having(tmp_path, "q5_k_m", "q5_k_m")).stem == "q5_k_m"


def test_a_model_without_that_file_cannot_be_started(tmp_path: Path) -> None:
    with pytest.raises(EngineStartError, match="paper has no GGUF file in bf16") as raised:
        gguf_of(LLAMA, having(tmp_path, "bf16", "q8_0"))
    assert raised.value.hint == "It has: q8_0."


def held(
    monkeypatch: pytest.MonkeyPatch, folder: Path, precision: str, kind: str, **shares: float
) -> dict[str, str]:
    monkeypatch.setattr(weights, "stored_types", lambda _: shares)
    return dict(weights_held(LLAMA, having(folder, precision, kind)))


def test_what_the_file_holds_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert held(monkeypatch, tmp_path, "8bit", "q8_0", Q8_0=0.9999, f32=0.0001) == {
        "weights in memory": "Q8_0",
        "weights by type": "Q8_0 100.0%",
        "activations": "f32, 8 bits in products",
    }
    plain = held(monkeypatch, tmp_path, "bf16", "bf16", bf16=0.999, f32=0.001)
    assert plain["weights in memory"] == "bf16"
    assert plain["weights by type"] == "bf16 99.9%, f32 0.1%"
    assert plain["activations"] == "f32, bf16 in products"


def test_a_mixture_is_known_by_most_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = held(monkeypatch, tmp_path, "shipped", "q4_k_m", Q4_K=0.6, Q6_K=0.4)
    assert found["weights in memory"] == "Q4_K_M"
    assert found["weights by type"] == "Q4_K 60.0%, Q6_K 40.0%"
    alone = held(monkeypatch, tmp_path, "q5_k_s", "q5_k_s", Q5_K=1.0)
    assert alone["weights in memory"] == "Q5_K_S"


def test_a_type_that_did_not_fit_the_shape_is_not_claimed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = held(monkeypatch, tmp_path, "shipped", "q4_k_m", Q5_0=0.7, Q8_0=0.3)
    assert found["weights in memory"] == "Q5_0 for the most part, asked for as Q4_K_M"

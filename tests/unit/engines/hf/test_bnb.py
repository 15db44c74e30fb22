"""The parts of transformers with bitsandbytes that need neither torch nor a model."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError
from types import SimpleNamespace as Bag
from typing import Any

import pytest

from python_runner.common.errors import SetupError
from python_runner.common.progress import SilentProgress
from python_runner.engines.hf import bnb as hf_bnb
from python_runner.engines.hf import engine as hf_transformers
from python_runner.engines.hf.bnb import INT8, INT8_ENGINE, NF4, NF4_ENGINE, held_in
from python_runner.engines.variants import PRECISIONS, variant_of
from python_runner.measure.criteria import bits_in


def weight(count: int, dtype: str, **more: object) -> Any:
    return Bag(numel=lambda: count, dtype=f"torch.{dtype}", **more)


def four_bits(rows: int, row: int, **more: object) -> Any:
    """A matrix in nf4: two weights in a byte."""
    state = Bag(quant_type="nf4", shape=(rows, row), **more)
    return weight(rows * row // 2, "uint8", quant_state=state)


def model(*weights: Any) -> Any:
    return Bag(parameters=lambda: iter(weights), dtype="torch.bfloat16")


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hf_bnb, "version", lambda name: "0.50.2")


def test_weights_of_four_bits_are_counted_and_not_their_bytes() -> None:
    held = held_in(model(weight(16, "bfloat16"), four_bits(8, 6)))
    assert held["weights in memory"] == NF4
    assert held["weights by type"] == "nf4 75.0%, bf16 25.0%"
    assert held["activations"] == "bf16"
    assert held["bitsandbytes"] == "0.50.2"


@pytest.mark.parametrize(
    ("laid_out", "said"),
    [(True, "of 4 bits, by AVX-512 with bf16"), (False, "widened to bf16 for each")],
)
def test_how_four_bits_are_multiplied_is_asked_of_the_weights(laid_out: bool, said: str) -> None:
    assert held_in(model(four_bits(8, 6, packing_format_for_cpu=laid_out)))["products"] == said


@pytest.mark.parametrize(
    ("sets", "said"),
    [("AVX512", "of whole numbers, by torch"), ("AVX2", "widened to f32 for each")],
)
def test_whole_numbers_are_told_with_what_is_computed_apart(
    sets: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hf_bnb, "_instruction_sets", lambda: sets)
    held = held_in(model(weight(1, "bfloat16"), weight(3, "int8")))
    assert held["products"] == said
    assert held["weights in memory"] == INT8
    assert held["weights by type"] == "int8 75.0%, bf16 25.0%"
    assert held["activations"] == "bf16, 8 bits in products but for outliers"


def test_a_model_that_was_not_quantised_does_not_say_that_it_was() -> None:
    held = held_in(model(weight(3, "bfloat16")))
    assert (held["weights in memory"], held["activations"]) == ("bf16", "bf16")


@pytest.mark.parametrize(("engine", "held", "bits"), [(NF4_ENGINE, NF4, 4), (INT8_ENGINE, INT8, 8)])
def test_each_holds_its_weights_so_whatever_the_word(engine: Any, held: str, bits: int) -> None:
    assert set(engine.spec.formats) == set(PRECISIONS)
    assert {each.name for each in engine.spec.formats.values()} == {held}
    assert {each.bits for each in engine.spec.formats.values()} == {bits} == {bits_in(held)}


def test_a_variant_is_read_and_prepared_as_its_base() -> None:
    off: Any = variant_of(NF4_ENGINE, {"gc": "off"})
    assert off.spec.name == "transformers-nf4@gc=off"
    assert off._loader == NF4_ENGINE._loader != INT8_ENGINE._loader
    assert off._prepare is hf_bnb.prepare


def test_a_cpu_that_is_too_old_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hf_transformers, "version", lambda name: "1")
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(hf_bnb, "lacks", lambda name: name == "avx2")
    with pytest.raises(SetupError, match="no AVX2"):
        INT8_ENGINE.prepare(SilentProgress())
    monkeypatch.setattr(hf_bnb, "lacks", lambda name: False)
    INT8_ENGINE.prepare(SilentProgress())


def test_a_missing_package_is_a_setup_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(name: str) -> str:
        if name == "bitsandbytes":
            raise PackageNotFoundError(name)
        return "1"

    monkeypatch.setattr(hf_transformers, "version", version)
    with pytest.raises(SetupError, match="bitsandbytes"):
        NF4_ENGINE.prepare(SilentProgress())

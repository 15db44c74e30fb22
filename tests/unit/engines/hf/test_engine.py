"""The parts of the transformers engine that need neither torch nor a model."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError
from pathlib import Path
from types import SimpleNamespace as Bag
from typing import Any

import pytest

from python_runner.common.errors import SetupError
from python_runner.common.progress import SilentProgress
from python_runner.engines.hf import engine as hf_transformers
from python_runner.engines.hf.engine import _as_ids, environment
from python_runner.engines.hf.int8 import held_as
from tests.unit.engines.helpers import settings_for


@pytest.mark.parametrize(("configured", "ids"), [(None, []), (1, [1]), ([1, 107], [1, 107])])
def test_ids_that_end_a_sequence(configured: int | list[int] | None, ids: list[int]) -> None:
    assert _as_ids(configured) == ids


def weight(count: int, dtype: str, **more: object) -> Any:
    return Bag(numel=lambda: count, dtype=f"torch.{dtype}", **more)


def test_what_the_weights_are_held_in_is_asked_of_the_model() -> None:
    plain = Bag(parameters=lambda: [weight(3, "bfloat16")], dtype="torch.bfloat16")
    assert held_as(plain) == {
        "weights in memory": "bf16",
        "weights by type": "bf16 100.0%",
        "activations": "bf16",
    }
    parts = [weight(1, "bfloat16"), weight(3, "bfloat16", qdata=None)]
    quantised = Bag(parameters=lambda: parts, dtype="torch.bfloat16")
    assert held_as(quantised) == {
        "weights in memory": "int8 (torchao)",
        "weights by type": "int8 75.0%, bf16 25.0%",
        "activations": "bf16, 8 bits in products",
    }


def test_amx_is_off_unless_the_user_says_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)
    assert environment(settings_for(tmp_path)) == {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE_BF16"}
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "DEFAULT")
    assert environment(settings_for(tmp_path)) == {"ONEDNN_MAX_CPU_ISA": "DEFAULT"}


@pytest.mark.parametrize("missing", ["torch", "transformers"])
def test_a_missing_package_is_a_setup_error(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def version(name: str) -> str:
        if name == missing:
            raise PackageNotFoundError(name)
        return "1"

    monkeypatch.setattr(hf_transformers, "version", version)
    with pytest.raises(SetupError, match=missing):
        hf_transformers.prepare(SilentProgress())

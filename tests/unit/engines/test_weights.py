"""Which file of weights an engine is given."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from python_runner.common.errors import EngineStartError
from python_runner.engines.weights import gguf_of
from tests.unit.engines.helpers import settings_for


def test_the_file_of_the_precision_is_taken(tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    file = tmp_path / "paper.gguf"
    model = replace(settings.model, gguf={"bf16": file, "q8_0": tmp_path / "other.gguf"})
    assert gguf_of(replace(settings, model=model)) == file


def test_a_model_without_that_precision_cannot_be_started(tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    model = replace(settings.model, gguf={"q8_0": tmp_path / "m.gguf"})
    with pytest.raises(EngineStartError, match="paper has no GGUF file in bf16") as raised:
        gguf_of(replace(settings, model=model))
    assert raised.value.hint == "It has: q8_0."

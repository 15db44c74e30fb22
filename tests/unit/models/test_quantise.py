"""GGUF files in fewer bits: which are made of which, and how often; nothing is quantised here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from python_runner.common.errors import SetupError
from python_runner.common.progress import Progress, SilentProgress
from python_runner.models import ModelCard, cards, gguf, prepare_model, quantise
from python_runner.models.inventory import forms
from python_runner.models.sizes import still_to_write
from python_runner.models.source import listed_source

QUANTISER = Path("bin/llama-quantize")


@pytest.fixture
def runs(
    cache: Path, small_card: ModelCard, monkeypatch: pytest.MonkeyPatch
) -> list[tuple[str, str]]:
    """The program and the last word of each run of a converter."""
    monkeypatch.setattr(cards, "catalogue", lambda: (small_card,))
    monkeypatch.setattr(gguf, "llama_cpp_source", lambda _: Path("source"))
    found: list[tuple[str, str]] = []

    def write(command: list[Any], made: Path, expected: int, **_: object) -> None:
        found.append((Path(command[0]).name, str(command[-1])))
        made.write_bytes(b"GGUF" + bytes(expected))

    monkeypatch.setattr(gguf, "write_file", write)
    monkeypatch.setattr(quantise, "write_file", write)
    return found


def quantiser(progress: Progress) -> Path:
    return QUANTISER


def made(*kinds: str) -> Mapping[str, Path]:
    return prepare_model("small", kinds, SilentProgress(), quantiser=quantiser).gguf


def test_each_type_is_made_of_the_one_in_bf16_and_once(runs: list[tuple[str, str]]) -> None:
    found = made("q4_0", "q8_0")
    assert list(found) == ["q8_0", "q4_0"]
    assert [last for program, last in runs if program == QUANTISER.name] == ["Q8_0", "Q4_0"]
    assert len(runs) == 3, "converted once"
    assert made("q8_0", "q4_0") == found
    assert len(runs) == 3


def test_the_one_in_bf16_may_be_gone_meanwhile(runs: list[tuple[str, str]]) -> None:
    (whole,) = made("bf16").values()
    (file,) = made("q8_0").values()
    whole.unlink()
    assert made("q8_0") == {"q8_0": file}
    assert not whole.exists()


def test_the_program_is_asked_for_only_when_it_is_needed(runs: list[tuple[str, str]]) -> None:
    def missing(progress: Progress) -> Path:
        raise SetupError("no compiler")

    prepare_model("small", {"bf16"}, SilentProgress(), quantiser=missing)
    with pytest.raises(SetupError):
        prepare_model("small", {"q8_0"}, SilentProgress(), quantiser=missing)


def test_every_type_is_listed_with_the_model(runs: list[tuple[str, str]]) -> None:
    made("bf16", "q8_0")
    kinds = [form.kind for form in forms() if form.model == "small"]
    assert kinds == ["GGUF", "GGUF q8_0", "safetensors"]


def test_what_is_still_to_be_written_is_told(
    runs: list[tuple[str, str]], small_card: ModelCard
) -> None:
    source = listed_source(small_card)

    def missing(*kinds: str) -> list[str]:
        return [each.form for each in still_to_write(source, kinds)]

    assert missing("q8_0", "q4_k_m") == ["safetensors", "GGUF", "GGUF in Q8_0", "GGUF in Q4_K_M"]
    whole, eight = still_to_write(source, {"q8_0"})[1:]
    assert whole.bytes / 2 < eight.bytes < whole.bytes
    made("bf16")
    assert missing("q8_0") == ["GGUF in Q8_0"]
    made("q8_0")
    assert missing("q8_0", "bf16") == []

"""Which model a study runs, and by which stacks it can be read."""

from pathlib import Path
from types import SimpleNamespace as Bag
from typing import Any

import pytest

from python_runner.common.errors import ConversionError, UnknownNameError, UsageError
from python_runner.common.progress import SilentProgress
from python_runner.engines.table import engine
from python_runner.models import Source, find_source
from python_runner.models import prepare as prepare_module
from python_runner.run.preparation import (
    choose_source,
    model_for,
    precision_of,
    tell_choice,
    unreadable,
)
from tests.unit.builders import study

TINY = "gemma-2-tiny"
ABSENT = "gemma-2-2b-synthetic"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLYSTACK_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    lines: list[str] = []
    monkeypatch.setattr(SilentProgress, "say", lambda _, message: lines.append(message))
    return lines


def gguf_alone() -> Source:
    facts: Any = Bag(precision="q4_0", path=Path("m.gguf"), bytes=1)
    return Source(name="m", label="m", is_synthetic=False, folder=Path(), bytes=1, gguf=facts)


@pytest.mark.parametrize(
    ("preferred", "chosen"),
    [((TINY,), TINY), ((ABSENT, TINY), TINY), ((TINY, ABSENT), TINY), ((ABSENT,), ABSENT)],
)
def test_the_first_that_is_here_is_run_else_the_last(
    preferred: tuple[str, ...], chosen: str
) -> None:
    assert choose_source(study(model=preferred)).name == chosen


def test_a_wrong_name_is_told_even_if_another_would_do() -> None:
    with pytest.raises(UnknownNameError, match="gemma-9"):
        choose_source(study(model=("gemma-2-tiny", "gemma-9")))


def test_a_choice_that_is_not_the_first_is_told(said: list[str]) -> None:
    preferring = study(model=(ABSENT, TINY))
    tell_choice(preferring, choose_source(preferring), SilentProgress())
    assert f"{ABSENT} is not on this disk: {TINY}" in said[0]
    said.clear()
    tell_choice(study(model=TINY), find_source(TINY), SilentProgress())
    assert said == []


def test_a_gguf_alone_is_read_by_those_who_read_gguf() -> None:
    engines = {name: engine(name) for name in ("llama.cpp", "transformers")}
    reasons = unreadable(gguf_alone(), engines)
    assert reasons == {"transformers": "transformers reads safetensors, and m is a GGUF file alone"}
    assert unreadable(find_source(TINY), engines) == {}
    with pytest.raises(UsageError, match="no stack of this study reads m"):
        unreadable(gguf_alone(), {"transformers": engine("transformers")})


def test_a_gguf_alone_has_a_precision_of_its_own() -> None:
    assert precision_of(gguf_alone(), study()) == "q4_0"
    assert precision_of(find_source(TINY), study()) == "bf16"


def test_what_cannot_be_converted_is_run_by_the_others(
    monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    def refuse(*_: object, **__: object) -> Path:
        raise ConversionError("the converter does not know it", hint="its log")

    monkeypatch.setattr(prepare_module, "make_gguf", refuse)
    engines = {name: engine(name) for name in ("llama.cpp", "ollama", "transformers")}
    found = model_for(find_source(TINY), study(), engines, SilentProgress())
    assert found.unread == dict.fromkeys(
        ("llama.cpp", "ollama"), "the converter does not know it (its log)"
    )
    assert found.model.gguf == {}
    assert "llama.cpp, ollama left out" in said[0]
    del engines["transformers"]
    with pytest.raises(ConversionError):
        model_for(find_source(TINY), study(), engines, SilentProgress())


def test_each_form_that_cannot_be_had_costs_its_own_readers_only(
    monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    def refuse(*_: object, **__: object) -> Path:
        raise ConversionError("not that architecture")

    made = Path("made.gguf")
    monkeypatch.setattr(prepare_module, "make_gguf", lambda *_, **__: made)
    monkeypatch.setattr(prepare_module, "make_ct2", refuse)
    engines = {name: engine(name) for name in ("llama.cpp", "ctranslate2", "transformers")}
    found = model_for(find_source(TINY), study(), engines, SilentProgress())
    assert found.unread == {"ctranslate2": "not that architecture"}
    assert (found.model.gguf, found.model.ct2) == ({"bf16": made}, {})
    monkeypatch.setattr(prepare_module, "make_gguf", refuse)
    found = model_for(find_source(TINY), study(), engines, SilentProgress())
    assert set(found.unread) == {"llama.cpp", "ctranslate2"}
    with pytest.raises(ConversionError):
        model_for(
            find_source(TINY), study(), {"ctranslate2": engine("ctranslate2")}, SilentProgress()
        )

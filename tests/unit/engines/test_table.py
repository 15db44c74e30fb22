"""The table of engines."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

from python_runner.common.errors import SetupError, UnknownNameError
from python_runner.engines import table
from python_runner.engines.on_request import OnRequest
from python_runner.engines.table import (
    DEFAULT_STACKS,
    built_engine_names,
    engine,
    engine_names,
    is_brought,
    is_on_request,
)

MOCKS = ("mock-cpp", "mock-go", "mock-rust", "mock-python")


def add_plugin(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    point = EntryPoint(name=name, value=value, group=table.PLUGIN_GROUP)
    monkeypatch.setattr(table, "entry_points", lambda *, group: (point,))


def test_mocks_are_listed_only_when_asked_for() -> None:
    assert set(engine_names(include_hidden=True)) - set(engine_names()) == set(MOCKS)


@pytest.mark.parametrize("name", engine_names(include_hidden=True))
def test_every_row_leads_to_an_engine_of_that_name(name: str) -> None:
    spec = engine(name).spec
    assert spec.name == name
    assert spec.title
    # One that is installed on request only may lack a word: no default study has it.
    needed = {"bf16", "shipped"} if is_on_request(name) else {"bf16", "8bit", "shipped"}
    assert needed <= spec.formats.keys()
    for each in spec.formats.values():
        assert (spec.model_format == "gguf") == bool(each.gguf)
        assert (spec.model_format == "ctranslate2") == bool(each.ct2)


def test_titles_tell_engines_apart() -> None:
    names = engine_names(include_hidden=True)
    assert len({engine(name).spec.title for name in names}) == len(names)


def test_the_default_stacks_are_four_languages() -> None:
    assert {str(engine(name).spec.language) for name in DEFAULT_STACKS} == {
        "C++",
        "Go",
        "Rust",
        "Python",
    }


def test_what_the_user_must_bring_is_not_built() -> None:
    brought = {name for name in engine_names() if is_brought(name)}
    assert brought
    assert not brought & set(built_engine_names())


def test_what_is_installed_on_request_is_not_built_by_the_way() -> None:
    asked_for = {name for name in engine_names() if is_on_request(name)}
    assert asked_for
    assert not asked_for & {*built_engine_names(), *DEFAULT_STACKS}
    for name in engine_names():
        assert isinstance(engine(name), OnRequest) == (name in asked_for)
    assert is_on_request("vllm-cpu@threads=1")


def test_the_default_stacks_need_nothing_that_the_user_must_bring() -> None:
    assert not any(is_brought(name) for name in DEFAULT_STACKS)
    assert is_brought("ollama-installed")
    assert not is_brought("no such engine")


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UnknownNameError) as raised:
        engine("olama")
    assert "Did you mean 'ollama'" in raised.value.hint
    assert "mock" not in raised.value.hint


def test_a_plug_in_is_an_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    add_plugin(monkeypatch, "my-engine", "python_runner.engines.mock:GO")
    assert "my-engine" in engine_names()
    assert engine("my-engine") is engine("mock-go")


def test_a_plug_in_cannot_replace_an_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    add_plugin(monkeypatch, "transformers", "python_runner.engines.mock:GO")
    assert engine_names().count("transformers") == 1
    assert engine("transformers") is not engine("mock-go")


@pytest.mark.parametrize("value", ["no_such_module:ENGINE", "python_runner.engines.mock:NOTHING"])
def test_a_broken_plug_in_is_named(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    add_plugin(monkeypatch, "broken", value)
    with pytest.raises(SetupError, match="'broken'"):
        engine("broken")

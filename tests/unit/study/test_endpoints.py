"""Tables `[endpoints.NAME]`: what they may say, and that a key has no place in them."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from python_runner.cli.endpoint_options import endpoint_tables
from python_runner.common.errors import StudyError, UsageError
from python_runner.common.locations import source_root
from python_runner.engines.contract import Dialect
from python_runner.study import EndpointTable, Overrides, load_study

HOSTED = {"url": "https://h", "model": "tgi"}


def with_endpoint(name: str, **table: object) -> Overrides:
    return Overrides(endpoints={name: {**HOSTED, **table}})


def test_an_endpoint_is_a_stack_of_the_study() -> None:
    found = load_study("demo", with_endpoint("hosted", api_key_env="NAME", timeout="90s"))
    assert found.stacks[-1] == "hosted"
    table = found.endpoints["hosted"]
    assert (table.url, table.model, table.api_key_env) == ("https://h", "tgi", "NAME")
    assert table.timeout_s == 90.0
    named = Overrides(stacks=("hosted", "ollama"), endpoints={"hosted": HOSTED})
    assert load_study("demo", named).stacks == ("hosted", "ollama")


def test_a_table_of_a_file(tmp_path: Path) -> None:
    text = (source_root() / "studies" / "demo.toml").read_text(encoding="utf-8")
    path = tmp_path / "mine.toml"
    path.write_text(f'{text}\n[endpoints.hosted]\nurl = "https://h"\n', encoding="utf-8")
    found = load_study(str(path), Overrides(stacks=("hosted",)))
    assert found.endpoints["hosted"].dialect is None


@pytest.mark.parametrize(
    ("name", "table", "said"),
    [
        ("hosted", {"url": "ftp://h"}, "endpoints.hosted.url: is no URL of a server"),
        ("hosted", {"url": "https://me:secret@h"}, "a key in a URL"),
        ("hosted", {"url": "https://h?api-key=secret"}, "a key in a URL"),
        ("hosted", {"dialect": "soap"}, "openai-chat"),
        ("hosted", {"timeout": "soon"}, "is no duration"),
        ("hosted", {"api_key": "secret"}, "endpoints.hosted.api_key: no such key"),
        ("my host", {}, "a name has letters"),
    ],
)
def test_a_mistake_is_named(name: str, table: dict[str, object], said: str) -> None:
    with pytest.raises(StudyError) as raised:
        load_study("demo", Overrides(stacks=("ollama",), endpoints={name: {**HOSTED, **table}}))
    assert said in raised.value.message
    assert "secret" not in raised.value.message


def test_the_dialects_are_those_of_the_engines() -> None:
    (literal, _) = get_args(EndpointTable.model_fields["dialect"].annotation)
    assert set(get_args(literal)) == {each.value for each in Dialect}


def test_options_make_tables() -> None:
    found = endpoint_tables(["a=https://a?x=1", "b=http://b"], model="m", ca_file=Path("c.pem"))
    assert found == {
        "a": {"url": "https://a?x=1", "model": "m", "ca_file": "c.pem"},
        "b": {"url": "http://b", "model": "m", "ca_file": "c.pem"},
    }
    assert endpoint_tables(None, model=None) is None


@pytest.mark.parametrize("named", [["https://h"], ["https://h?a=b"], ["=x"], ["a=x", "a=y"]])
def test_what_is_no_name_and_address(named: list[str]) -> None:
    with pytest.raises(UsageError, match="a name of its own and an address"):
        endpoint_tables(named)


def test_options_without_an_endpoint() -> None:
    with pytest.raises(UsageError, match=r"--endpoint-model, --api-key-env") as raised:
        endpoint_tables(None, model="m", api_key_env="sk-9")
    assert "sk-9" not in raised.value.message

"""Requests in every dialect, and which one a URL means."""

from __future__ import annotations

import json
from typing import Any

import pytest

from python_runner.common.errors import UsageError
from python_runner.engines.contract import Dialect, GenerateRequest
from python_runner.engines.outside.dialects import Options, body_of, find_dialect

REQUEST = GenerateRequest(prompt_text="one two", prompt_ids=(2, 7), new_tokens=9, seed=4)


def body(dialect: Dialect, **options: Any) -> dict[str, Any]:
    found = json.loads(body_of(dialect, REQUEST, Options(model="m", **options)))
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("dialect", [Dialect.OPENAI_COMPLETIONS, Dialect.OPENAI_CHAT])
def test_openai(dialect: Dialect) -> None:
    found = body(dialect)
    assert (found["model"], found["max_tokens"], found["stream"]) == ("m", 9, True)
    assert found["stream_options"] == {"include_usage": True}
    assert found["temperature"] == 0.0
    # No part of the protocol: a strict server would refuse it.
    assert "ignore_eos" not in found
    assert body(dialect, ignore_eos=True)["ignore_eos"] is True


def test_where_the_prompt_goes() -> None:
    said = [{"role": "user", "content": "one two"}]
    assert body(Dialect.OPENAI_COMPLETIONS)["prompt"] == "one two"
    assert body(Dialect.OPENAI_CHAT)["messages"] == said
    assert body(Dialect.OLLAMA_CHAT)["messages"] == said
    assert body(Dialect.OLLAMA_GENERATE)["prompt"] == "one two"
    assert body(Dialect.OLLAMA_GENERATE)["raw"] is True
    assert body(Dialect.LLAMA_COMPLETION)["prompt"] == [2, 7]


def test_text_goes_to_llama_cpp_where_ids_are_not_known() -> None:
    text_only = GenerateRequest(prompt_text="one two", prompt_ids=(), new_tokens=9)
    found = json.loads(body_of(Dialect.LLAMA_COMPLETION, text_only, Options(model="m")))
    assert found["prompt"] == "one two"
    assert found["cache_prompt"] is False


@pytest.mark.parametrize("dialect", [Dialect.OLLAMA_GENERATE, Dialect.OLLAMA_CHAT])
def test_ollama_is_not_made_to_load_its_model_anew(dialect: Dialect) -> None:
    assert body(dialect)["options"]["num_predict"] == 9
    assert "num_ctx" not in body(dialect)["options"]
    assert body(dialect, context=512)["options"]["num_ctx"] == 512


@pytest.mark.parametrize(
    ("url", "named", "whole", "dialect"),
    [
        ("http://h:1", None, "http://h:1/v1/completions", Dialect.OPENAI_COMPLETIONS),
        ("http://h:1/", None, "http://h:1/v1/completions", Dialect.OPENAI_COMPLETIONS),
        ("https://h/v1", None, "https://h/v1/completions", Dialect.OPENAI_COMPLETIONS),
        ("https://h/v1/", "openai-chat", "https://h/v1/chat/completions", Dialect.OPENAI_CHAT),
        ("http://h/v1/chat/completions", None, "http://h/v1/chat/completions", Dialect.OPENAI_CHAT),
        ("http://h:1", "ollama-generate", "http://h:1/api/generate", Dialect.OLLAMA_GENERATE),
        ("http://h:1/api/chat", None, "http://h:1/api/chat", Dialect.OLLAMA_CHAT),
        ("http://h:1/completion", None, "http://h:1/completion", Dialect.LLAMA_COMPLETION),
        (
            "http://h:1/x/v1/completions?v=2",
            None,
            "http://h:1/x/v1/completions?v=2",
            Dialect.OPENAI_COMPLETIONS,
        ),
        ("http://h/completion", "ollama-chat", "http://h/api/chat", Dialect.OLLAMA_CHAT),
    ],
)
def test_the_path_tells_the_dialect(
    url: str, named: str | None, whole: str, dialect: Dialect
) -> None:
    assert find_dialect(url, named) == (whole, dialect)


@pytest.mark.parametrize(
    "url", ["ftp://h/", "h:8000", "localhost", "", "http://", "/v1", "file:///x"]
)
def test_what_is_no_url_of_a_server(url: str) -> None:
    with pytest.raises(UsageError, match="no URL of a server") as raised:
        find_dialect(url, None)
    assert "http://" in raised.value.hint


def test_a_dialect_that_there_is_not() -> None:
    with pytest.raises(UsageError, match="unknown dialect 'soap'") as raised:
        find_dialect("http://h", "soap")
    assert "ollama-generate" in raised.value.hint


def test_a_password_in_the_url_is_refused_and_not_repeated() -> None:
    with pytest.raises(UsageError) as raised:
        find_dialect("http://me:hunter2@h/", None)
    assert "hunter2" not in raised.value.message + raised.value.hint

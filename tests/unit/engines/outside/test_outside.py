"""A server of somebody else's: what it says of itself, and that it is left alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest

from python_runner.common.errors import GenerationError, UsageError
from python_runner.engines.contract import Dialect, GenerateRequest, Served
from python_runner.engines.outside import (
    Outside,
    OutsideEngine,
    describe,
    only_model,
    outside_settings,
)
from python_runner.engines.outside import (
    said as module,
)
from python_runner.engines.outside.dialects import Options

HERE = Outside(
    url="http://h:1/v1/completions",
    dialect=Dialect.OPENAI_COMPLETIONS,
    headers={"Authorization": "Bearer sk-9"},
    secrets=("sk-9",),
)


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> dict[str, httpx.Response]:
    """What the server answers by path; 404 otherwise."""
    found: dict[str, httpx.Response] = {}

    def answer(request: httpx.Request) -> httpx.Response:
        return found.get(request.url.path, httpx.Response(404))

    def client(_outside: Outside) -> httpx.Client:
        return httpx.Client(transport=httpx.MockTransport(answer))

    monkeypatch.setattr(module, "_client", client)
    return found


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ({"/api/version": {"version": "0.17.4"}}, "Ollama 0.17.4"),
        ({"/version": {"version": "0.11.0"}}, "0.11.0"),
        ({"/props": {"build_info": "b7000-abc"}}, "llama.cpp b7000-abc"),
        ({"/v1/models": {"data": [{"id": "m", "owned_by": "vllm"}]}}, "vllm, version not said"),
        ({}, "not known"),
        ({"/v1/models": ["nonsense"], "/version": "x", "/props": {"build_info": 3}}, "not known"),
    ],
)
def test_its_version(
    pages: dict[str, httpx.Response], said: Mapping[str, object], version: str
) -> None:
    pages |= {path: httpx.Response(200, json=answer) for path, answer in said.items()}
    assert describe(HERE).version == version


def test_a_header_is_better_than_nothing(pages: dict[str, httpx.Response]) -> None:
    pages["/version"] = httpx.Response(404, headers={"Server": "uvicorn"})
    found = describe(HERE)
    assert found.version == "server header uvicorn"
    assert found.build["server header"] == "uvicorn"


def test_a_page_that_is_no_json_says_nothing(pages: dict[str, httpx.Response]) -> None:
    pages |= {path: httpx.Response(200, html="<html>") for path in ("/version", "/v1/models")}
    assert describe(HERE).version == "not known"


def test_the_key_is_in_no_description(pages: dict[str, httpx.Response]) -> None:
    running = OutsideEngine(HERE, Options(model="m")).start(
        outside_settings("m", folder=None, context=None, timeout_s=1.0), Path("unused.log")
    )
    request = GenerateRequest(prompt_text="x", prompt_ids=(), new_tokens=3)
    written = f"{running.description} {running.endpoint} {HERE!r} {running.request_body(request)!r}"
    assert "sk-9" not in written


def test_it_can_be_put_under_load_and_is_never_ended(pages: dict[str, httpx.Response]) -> None:
    engine = OutsideEngine(HERE, Options(model="m", ignore_eos=True))
    assert engine.spec.title == "h:1"
    assert engine.spec.can_ignore_end_of_sequence
    running = engine.start(
        outside_settings("m", folder=None, context=None, timeout_s=1.0), Path("unused.log")
    )
    assert isinstance(running, Served)
    assert running.endpoint.url == HERE.url
    assert running.process_ids() == ()


def test_the_only_model_needs_no_name(pages: dict[str, httpx.Response]) -> None:
    pages["/v1/models"] = httpx.Response(200, json={"data": [{"id": "gemma"}]})
    assert only_model(HERE) == "gemma"


def test_ollama_lists_its_models_elsewhere(pages: dict[str, httpx.Response]) -> None:
    pages["/api/tags"] = httpx.Response(200, json={"models": [{"name": "gemma:2b"}]})
    assert only_model(HERE) == "gemma:2b"


def test_of_several_models_one_must_be_named(pages: dict[str, httpx.Response]) -> None:
    pages["/v1/models"] = httpx.Response(200, json={"data": [{"id": "a"}, {"id": "b"}]})
    with pytest.raises(UsageError, match="2 models: a, b"):
        only_model(HERE)


def test_a_server_without_a_list(pages: dict[str, httpx.Response]) -> None:
    with pytest.raises(UsageError, match="does not say") as raised:
        only_model(HERE)
    assert "--model" in raised.value.hint


def test_a_list_that_wants_a_key(pages: dict[str, httpx.Response]) -> None:
    pages["/v1/models"] = httpx.Response(401, json={"error": "no key"})
    with pytest.raises(GenerationError) as raised:
        only_model(HERE)
    assert "--api-key-env" in raised.value.hint


def test_the_base_of_a_url_with_a_prefix() -> None:
    prefixed = Outside(url="https://h/x/v1/chat/completions", dialect=Dialect.OPENAI_CHAT)
    assert prefixed.base == "https://h/x"

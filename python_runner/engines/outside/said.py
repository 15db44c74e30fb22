"""What somebody else's server says of itself and of its models."""

from __future__ import annotations

from typing import Any

import httpx

from python_runner.common.errors import GenerationError, UsageError
from python_runner.engines.contract import EngineDescription
from python_runner.engines.outside.api_key import hide
from python_runner.engines.outside.fetch import fetch
from python_runner.engines.outside.target import UNKNOWN, Outside
from python_runner.engines.served.message import parse
from python_runner.engines.served.refusals import hint_of, hint_of_status, without_query
from python_runner.engines.served.streaming import NotAnsweredError

_TIMEOUT_S = 5.0
_MOST_NAMES = 20
_TELLING = (404, 405)
"""Statuses that say no more than that such a list is not there."""


def describe(outside: Outside) -> EngineDescription:
    """What the server says of itself; what it does not say is `not known`."""
    said: dict[str, str] = {}
    with _client(outside) as client:
        for path, read in (
            ("/api/version", _ollama_version),
            ("/version", _plain_version),
            ("/props", _llama_version),
            ("/v1/models", _owner),
        ):
            answer = _get(client, f"{outside.base}{path}")
            if answer is None:
                break  # nobody is there; the first request says why
            if server := answer.headers.get("server"):
                said.setdefault("server header", hide(server, outside.secrets))
            if version := read(_json(answer)):
                said.setdefault("version", hide(version, outside.secrets))
    header = said.get("server header")
    return EngineDescription(
        version=said.pop("version", "") or (f"server header {header}" if header else UNKNOWN),
        build={"URL": without_query(outside.url), "dialect": outside.dialect.value, **said},
    )


def only_model(outside: Outside) -> str:
    """The one model that the server has.

    Raises:
        UsageError: it has several, or does not say.
        GenerationError: it refuses to say, or nobody answers there.
    """
    with _client(outside) as client:
        try:
            openai = fetch(client, f"{outside.base}/v1/models", limit_s=_TIMEOUT_S)
            names = _names(openai, "data", "id")
            if not names:
                tags = fetch(client, f"{outside.base}/api/tags", limit_s=_TIMEOUT_S)
                names = _names(tags, "models", "name")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            words = str(error) or type(error).__name__
            raise NotAnsweredError(
                f"{outside.host} cannot be asked for its models: {words}",
                hint=hint_of(_kind_of(error), 0, words),
            ) from error
    if len(names) == 1:
        return names[0]
    if names:
        shown = ", ".join(names[:_MOST_NAMES])
        raise UsageError(
            f"{outside.host} has {len(names)} models: {shown}", hint="Name one with --model."
        )
    if not openai.is_success and openai.status_code not in _TELLING:
        raise GenerationError(
            f"{outside.host} answered {openai.status_code} when it was asked for its models"
            f"{_aside(openai)}",
            hint=hint_of_status(openai.status_code),
        )
    raise UsageError(
        f"{outside.host} does not say which models it has{_what_came(openai)}",
        hint="Name one with --model. Is that the address of a server for language models?",
    )


def _client(outside: Outside) -> httpx.Client:
    return httpx.Client(
        timeout=_TIMEOUT_S,
        # Of a few questions; one that the server has closed meanwhile would spoil the next.
        limits=httpx.Limits(max_keepalive_connections=0),
        headers=dict(outside.headers),
        verify=outside.trusted(),
        trust_env=False,
    )


def _kind_of(error: Exception) -> str:
    if isinstance(error, httpx.ConnectError):
        return "connect"
    if isinstance(error, httpx.TimeoutException):
        return "timeout"
    is_closed = isinstance(error, httpx.ReadError) or "disconnected" in str(error)
    return "closed" if is_closed else "protocol"


def _aside(answer: httpx.Response) -> str:
    names = ("Retry-After", "Location")
    found = [f"{name}: {answer.headers[name]}" for name in names if name in answer.headers]
    return f" ({', '.join(found)})" if found else ""


def _what_came(answer: httpx.Response) -> str:
    """` (status 404)`, or the type of a page that is no list."""
    if not answer.is_success:
        return f" (status {answer.status_code})"
    kind = answer.headers.get("content-type", "").partition(";")[0]
    return "" if kind == "application/json" else f" (it answered with {kind or 'no type'})"


def _get(client: httpx.Client, url: str) -> httpx.Response | None:
    try:
        return fetch(client, url, limit_s=_TIMEOUT_S)
    except (httpx.HTTPError, httpx.InvalidURL):
        return None


def _json(answer: httpx.Response) -> Any:
    try:
        return parse(answer.content) if answer.is_success else None
    except ValueError:
        return None


def _field(document: Any, key: str) -> str:
    value = document.get(key) if isinstance(document, dict) else None
    return value if isinstance(value, str) else ""


def _ollama_version(document: Any) -> str:
    return (version := _field(document, "version")) and f"Ollama {version}"


def _plain_version(document: Any) -> str:
    return _field(document, "version")


def _llama_version(document: Any) -> str:
    return (build := _field(document, "build_info")) and f"llama.cpp {build}"


def _owner(document: Any) -> str:
    models = document.get("data") if isinstance(document, dict) else None
    first = models[0] if isinstance(models, list) and models else None
    return (owner := _field(first, "owned_by")) and f"{owner}, version not said"


def _names(answer: httpx.Response, key: str, name: str) -> list[str]:
    document = _json(answer)
    rows = document.get(key) if isinstance(document, dict) else None
    return [found for row in rows if (found := _field(row, name))] if isinstance(rows, list) else []

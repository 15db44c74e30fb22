"""Requests in the dialects that servers speak, for servers that are not started here."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from python_runner.common.errors import UsageError
from python_runner.engines.contract import Dialect, GenerateRequest
from python_runner.engines.llama.protocol import request_body as llama_body
from python_runner.engines.ollama.server import FOREVER
from python_runner.study.endpoints import holds_key

PATHS: Mapping[Dialect, str] = {
    Dialect.OPENAI_COMPLETIONS: "/v1/completions",
    Dialect.OPENAI_CHAT: "/v1/chat/completions",
    Dialect.OLLAMA_GENERATE: "/api/generate",
    Dialect.OLLAMA_CHAT: "/api/chat",
    Dialect.LLAMA_COMPLETION: "/completion",
}


@dataclass(frozen=True, kw_only=True)
class Options:
    """What requests carry besides prompt, length and seed."""

    model: str
    context: int | None = None
    """Ollama loads a model anew when this differs from what it has; None: leave it alone."""
    ignore_eos: bool = False
    """No part of OpenAI's protocol; vLLM, SGLang and llama-server know it, others may refuse."""


def body_of(dialect: Dialect, request: GenerateRequest, options: Options) -> bytes:
    """The JSON of a streamed, greedy request that asks for the counts of its tokens."""
    return _BODIES[dialect](request, options)


def find_dialect(url: str, named: str | None) -> tuple[str, Dialect]:
    """The whole URL that requests go to, and its dialect.

    A URL with a path that is known says its dialect itself; `…/v1` and a bare host are taken
    for OpenAI's completions unless `named` says otherwise.

    Raises:
        UsageError: a scheme, a dialect or a host that cannot be.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise UsageError(
            f"{url!r} is no URL of a server",
            hint="Write http://HOST:PORT or https://HOST, for example http://127.0.0.1:8000.",
        )
    if holds_key(url):
        raise UsageError(
            "a key or password in the URL would be stored with the results",
            hint="Put it into a variable and name that: --api-key-env NAME.",
        )
    path = parts.path.rstrip("/")
    known = next((kind for kind, tail in PATHS.items() if path.endswith(tail)), None)
    dialect = _dialect(named) or known or Dialect.OPENAI_COMPLETIONS
    if known:
        path = path.removesuffix(PATHS[known])
    elif path.endswith("/v1"):
        path = path.removesuffix("/v1")
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.scheme}://{parts.netloc}{path}{PATHS[dialect]}{query}", dialect


def _dialect(named: str | None) -> Dialect | None:
    if named is None:
        return None
    try:
        return Dialect(named)
    except ValueError as error:
        raise UsageError(
            f"unknown dialect {named!r}", hint=f"There are {', '.join(Dialect)}."
        ) from error


def _openai(request: GenerateRequest, options: Options) -> dict[str, object]:
    return {
        "model": options.model,
        "max_tokens": request.new_tokens,
        "temperature": 0.0,
        "seed": request.seed,
        "stream": True,
        "stream_options": {"include_usage": True},
        **({"ignore_eos": True} if options.ignore_eos else {}),
    }


def _openai_completions(request: GenerateRequest, options: Options) -> bytes:
    return _dump({"prompt": request.prompt_text, **_openai(request, options)})


def _openai_chat(request: GenerateRequest, options: Options) -> bytes:
    return _dump({"messages": _messages(request), **_openai(request, options)})


def _ollama(request: GenerateRequest, options: Options) -> dict[str, object]:
    context = {} if options.context is None else {"num_ctx": options.context}
    return {
        "model": options.model,
        "stream": True,
        "keep_alive": FOREVER,
        "options": {
            **context,
            "temperature": 0.0,
            "num_predict": request.new_tokens,
            "seed": request.seed,
        },
    }


def _ollama_generate(request: GenerateRequest, options: Options) -> bytes:
    # Raw: no template of the server's is put around what may have one already.
    return _dump({"prompt": request.prompt_text, "raw": True, **_ollama(request, options)})


def _ollama_chat(request: GenerateRequest, options: Options) -> bytes:
    return _dump({"messages": _messages(request), **_ollama(request, options)})


def _llama(request: GenerateRequest, options: Options) -> bytes:
    body = json.loads(llama_body(request))
    if not request.prompt_ids:
        body["prompt"] = request.prompt_text
    return _dump({**body, "ignore_eos": options.ignore_eos})


def _messages(request: GenerateRequest) -> list[dict[str, str]]:
    return [{"role": "user", "content": request.prompt_text}]


def _dump(body: Mapping[str, object]) -> bytes:
    return json.dumps(body).encode()


_BODIES: Mapping[Dialect, Callable[[GenerateRequest, Options], bytes]] = {
    Dialect.OPENAI_COMPLETIONS: _openai_completions,
    Dialect.OPENAI_CHAT: _openai_chat,
    Dialect.OLLAMA_GENERATE: _ollama_generate,
    Dialect.OLLAMA_CHAT: _ollama_chat,
    Dialect.LLAMA_COMPLETION: _llama,
}

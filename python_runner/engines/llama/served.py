"""llama.cpp's server as a running engine: llama-server itself, and llamafile."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from python_runner.common.clock import NS_PER_S, now_ns
from python_runner.common.errors import EngineStartError, GenerationError
from python_runner.common.processes import start_child
from python_runner.engines.contract import (
    Dialect,
    Endpoint,
    EngineDescription,
    GenerateRequest,
    Generation,
    LaunchSettings,
)
from python_runner.engines.llama.protocol import generation_of, request_body
from python_runner.engines.served.message import parse
from python_runner.engines.served.server_process import ServerProcess, start_server
from python_runner.engines.served.streaming import Framing, NotAnsweredError, StreamClient

_PORT_TAKEN = "couldn't bind"
# On SIGTERM in mid-answer it waits for that answer, which no longer comes. It has nothing to save.
_STOP_GRACE_S = 1.5
_PROBE_TIMEOUT_S = 2.0
_BRIEF_TIMEOUT_S = 60.0
# Variables by which a user sets options of every llama.cpp server that he starts.
_FOREIGN = ("LLAMA_", "AIP_")
# llama.cpp prints `AVX2 = 1 | AVX512 = 0 |`.
_FEATURE = re.compile(r"\b([A-Z][A-Z0-9_]+) = 1 \|")
_CONFIG_FILE = re.compile(r"using config file: (.+)")


@dataclass(frozen=True, kw_only=True)
class Launch:
    """How one server is started."""

    title: str
    command: Callable[[int], Sequence[str | Path]]
    """The command line for a port."""
    environment: Mapping[str, str]
    reads_text: bool
    """Whether its tokeniser can be asked for ids that begin with BOS."""
    advice: str
    """What to do when it does not start, as a sentence."""
    caches: bool = False
    """Whether a request may take the beginning of its prompt from the one before."""


@dataclass(frozen=True, kw_only=True)
class Started:
    """What a server says of itself once it is up."""

    props: Mapping[str, Any]
    """Its answer to `/props`."""
    log: str
    """All that was logged by then, by servers before it in the same log too."""


Describe = Callable[[Started], EngineDescription]


class ServedLlama:
    """A server with its model in memory. Implements `contract.RunningEngine` and `Served`."""

    def __init__(
        self,
        server: ServerProcess,
        client: StreamClient,
        description: EngineDescription,
        settings: LaunchSettings,
        *,
        reads_text: bool,
        load_ns: int,
        caches: bool = False,
    ) -> None:
        self._server = server
        self._client = client
        self._description = description
        self._settings = settings
        self._reads_text = reads_text
        self._caches = caches
        self._load_ns = load_ns

    @property
    def description(self) -> EngineDescription:
        return self._description

    @property
    def load_seconds(self) -> float:
        return self._load_ns / NS_PER_S

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint(
            url=f"{self._server.url}/completion",
            dialect=Dialect.LLAMA_COMPLETION,
            model=self._settings.model.name,
        )

    def request_body(self, request: GenerateRequest) -> bytes:
        self._check_length(request)
        return request_body(request, cache_prompt=self._caches)

    def token_ids(self, text: str) -> tuple[int, ...] | None:
        if not self._reads_text:
            return None
        question = {"content": text, "add_special": True, "parse_special": True}
        url = f"{self._server.url}/tokenize"
        try:
            answer = httpx.post(url, json=question, timeout=_BRIEF_TIMEOUT_S, trust_env=False)
            return tuple(parse(answer.raise_for_status().content)["tokens"])
        except (httpx.HTTPError, ValueError, TypeError, KeyError) as error:
            failure = NotAnsweredError(f"{self._server.title} did not read a text: {error}")
            self._server.raise_if_gone(failure)
            raise failure from error

    def generate(self, request: GenerateRequest) -> Generation:
        body = self.request_body(request)
        self._server.check_is_running("waiting for a request")
        try:
            stream = self._client.post(
                self.endpoint.url,
                body,
                framing=Framing.SSE,
                timeout_s=request.timeout_s,
                stall_timeout_s=request.stall_timeout_s,
            )
            return generation_of(
                stream,
                title=self._server.title,
                new_tokens=request.new_tokens,
                may_cache=self._caches,
            )
        except GenerationError as error:
            self._server.raise_if_gone(error)
            raise

    def process_ids(self) -> tuple[int, ...]:
        return (self._server.pid,)

    def ending(self) -> str:
        return self._server.ending()

    def stop(self) -> None:
        """End the server, also from another thread in mid-stream."""
        self._server.stop()

    def __enter__(self) -> ServedLlama:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def _check_length(self, request: GenerateRequest) -> None:
        # 0.9 would cut the prompt or forget its beginning, and newer ones round the context up.
        prompt, new = len(request.prompt_ids), request.new_tokens
        if prompt + new > self._settings.context:
            raise GenerationError(
                f"{prompt} prompt tokens and {new} new ones are {prompt + new}, and the context "
                f"has {self._settings.context}",
                hint="Ask for fewer tokens or set a larger context.",
            )


def start_served(
    launch: Launch, settings: LaunchSettings, log: Path, client: StreamClient, describe: Describe
) -> ServedLlama:
    """Start the server and wait until its model is loaded.

    Call it from a thread that lives as long as the server (see `start_child`).

    Raises EngineStartError, and what `describe` raises.
    """
    try:
        # One client for all probes: making one takes longer than a probe.
        with httpx.Client(timeout=_PROBE_TIMEOUT_S, trust_env=False) as probe:
            server, props = start_server(
                partial(_launch, launch, log),
                partial(_props, probe),
                port_taken=_PORT_TAKEN,
                timeout_s=settings.start_timeout_s,
            )
    except EngineStartError as error:
        raise EngineStartError(error.message, hint=f"{launch.advice} {error.hint}") from error
    load_ns = now_ns() - server.started_ns
    try:
        text = log.read_text(errors="replace")
        description = describe(Started(props=props, log=text))
    except BaseException:  # Ctrl-C too must not leave the process behind
        server.stop()
        raise
    return ServedLlama(
        server,
        client,
        description,
        settings,
        reads_text=launch.reads_text,
        load_ns=load_ns,
        caches=launch.caches,
    )


def server_environment(threads: int) -> dict[str, str]:
    """Variables for a server, besides those that it inherits."""
    return {
        "OMP_NUM_THREADS": str(threads),
        # No user's config file of llama.cpp; nothing can lie below this path.
        "XDG_CONFIG_HOME": os.devnull,
    }


def foreign_names(inherited: Iterable[str]) -> frozenset[str]:
    """Names of variables that would set options of the server behind our back."""
    return frozenset(name for name in inherited if name.startswith(_FOREIGN))


def logged_features(log: str) -> str:
    """The CPU features in the last line of `log` that lists them; empty if none does."""
    features = ""
    for line in log.splitlines():
        if found := _FEATURE.findall(line):
            features = " ".join(found)
    return features


def logged_config_file(log: str) -> str:
    """The config file that the server says it has read; empty if none."""
    found = _CONFIG_FILE.findall(log)
    return str(found[-1]) if found else ""


def _launch(launch: Launch, log: Path, port: int) -> ServerProcess:
    child = start_child(
        launch.command(port),
        log=log,
        env=launch.environment,
        without=foreign_names(os.environ),
    )
    return ServerProcess(launch.title, child, port, log, grace_s=_STOP_GRACE_S)


def _props(probe: httpx.Client, server: ServerProcess) -> Mapping[str, Any] | None:
    """What the server says of itself, once the model is loaded."""
    try:
        if probe.get(f"{server.url}/health").status_code != httpx.codes.OK:
            return None
        props = parse(probe.get(f"{server.url}/props").raise_for_status().content)
    except (httpx.HTTPError, ValueError):
        return None
    return props if isinstance(props, dict) else None

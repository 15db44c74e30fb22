"""A server that speaks OpenAI's protocol as a running engine, started by us."""

from __future__ import annotations

import signal
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from python_runner.common.clock import NS_PER_S, now_ns
from python_runner.common.errors import EngineStartError, GenerationError
from python_runner.common.processes import start_child
from python_runner.engines.contract import (
    Endpoint,
    EngineDescription,
    GenerateRequest,
    Generation,
    LaunchSettings,
)
from python_runner.engines.served.message import OPENAI, MessageError, message_in, parse
from python_runner.engines.served.openai_protocol import (
    Dialogue,
    Ending,
    EndMissingError,
    generation_of,
)
from python_runner.engines.served.server_process import ServerProcess, start_server
from python_runner.engines.served.streaming import Framing, NotAnsweredError, Stream, StreamClient

# On SIGTERM in mid-answer some wait for that answer, which no longer comes. None has anything
# to save.
_STOP_GRACE_S = 1.5
_PROBE_TIMEOUT_S = 2.0


def _json_object(answer: httpx.Response) -> Mapping[str, Any] | None:
    said = parse(answer.content)
    return said if isinstance(said, dict) else None


@dataclass(frozen=True, kw_only=True)
class Launch:
    """How one server is started."""

    title: str
    command: Callable[[int], Sequence[str | Path]]
    """The command line for a port."""
    environment: Mapping[str, str]
    ready: str
    """The path that answers once the model is loaded: a JSON object, or see `is_ready`."""
    port_taken: str
    """What it logs when the port is in use."""
    advice: str
    """What to do when it does not start, as a sentence."""
    without: Collection[str] = ()
    """Variables of ours that it is not to have."""
    grace_s: float = _STOP_GRACE_S
    """Seconds from SIGTERM to SIGKILL."""
    is_ready: Callable[[httpx.Response], Mapping[str, Any] | None] = _json_object
    """What it says when it is ready, of an answer with status 2xx; None: not yet."""
    process: Callable[..., ServerProcess] = ServerProcess
    """Takes over the child that was started."""
    cwd: Path | None = None
    orphan_signal: signal.Signals = signal.SIGKILL
    """What the kernel sends it when we die: SIGTERM if it has children that it then ends."""


@dataclass(frozen=True, kw_only=True)
class Started:
    """A server that is up."""

    server: ServerProcess
    ready: Mapping[str, Any]
    """What it said then."""
    load_ns: int


@dataclass(frozen=True, kw_only=True)
class Asking:
    """How it is asked, and how its answers are read."""

    endpoint: Endpoint
    body: Callable[[GenerateRequest], bytes]
    dialogue: Dialogue
    unstreamed: Callable[[GenerateRequest], bytes] | None = None
    """The same request for an answer in one piece, of a server whose streams may lack their
    end: the counts are then taken from there."""


class ServedOpenAi:
    """A server with its model in memory. Implements `contract.RunningEngine` and `Served`."""

    def __init__(
        self,
        started: Started,
        client: StreamClient,
        description: EngineDescription,
        asking: Asking,
    ) -> None:
        self._server = started.server
        self._load_ns = started.load_ns
        self._client = client
        self._description = description
        self._asking = asking

    @property
    def description(self) -> EngineDescription:
        return self._description

    @property
    def load_seconds(self) -> float:
        return self._load_ns / NS_PER_S

    @property
    def endpoint(self) -> Endpoint:
        return self._asking.endpoint

    def request_body(self, request: GenerateRequest) -> bytes:
        return self._asking.body(request)

    def token_ids(self, text: str) -> tuple[int, ...] | None:
        """None: OpenAI's protocol has no question for it."""
        return None

    def generate(self, request: GenerateRequest) -> Generation:
        self._server.check_is_running("waiting for a request")
        try:
            stream = self._client.post(
                self.endpoint.url,
                self.request_body(request),
                framing=Framing.SSE,
                timeout_s=request.timeout_s,
                stall_timeout_s=request.stall_timeout_s,
            )
            return self._read(stream, request)
        except GenerationError as error:
            self._server.raise_if_gone(error)
            raise

    def _read(self, stream: Stream, request: GenerateRequest) -> Generation:
        dialogue, new_tokens = self._asking.dialogue, request.new_tokens
        try:
            return generation_of(stream, dialogue, new_tokens=new_tokens)
        except EndMissingError:
            if self._asking.unstreamed is None:
                raise
        body = self._asking.unstreamed(request)
        ending = ask_for_ending(self.endpoint.url, body, timeout_s=request.timeout_s)
        return generation_of(stream, dialogue, new_tokens=new_tokens, ending=ending)

    def process_ids(self) -> tuple[int, ...]:
        return (self._server.pid,)

    def ending(self) -> str:
        return self._server.ending()

    def stop(self) -> None:
        """End the server, also from another thread in mid-stream."""
        self._server.stop()

    def __enter__(self) -> ServedOpenAi:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()


def start_openai(
    launch: Launch,
    settings: LaunchSettings,
    log: Path,
    client: StreamClient,
    describe: Callable[[Started], tuple[EngineDescription, Asking]],
    *,
    served: type[ServedOpenAi] = ServedOpenAi,
) -> ServedOpenAi:
    """Start the server and wait until its model is loaded, as a `served`.

    Call it from a thread that lives as long as the server (see `start_child`).

    Raises EngineStartError, and what `describe` raises.
    """
    try:
        # One client for all probes: making one takes longer than a probe.
        with httpx.Client(timeout=_PROBE_TIMEOUT_S, trust_env=False) as probe:
            server, ready = start_server(
                partial(_launch, launch, log),
                partial(_ready, probe, launch),
                port_taken=launch.port_taken,
                timeout_s=settings.start_timeout_s,
            )
    except EngineStartError as error:
        raise EngineStartError(error.message, hint=f"{launch.advice} {error.hint}") from error
    started = Started(server=server, ready=ready, load_ns=now_ns() - server.started_ns)
    try:
        return served(started, client, *describe(started))
    except BaseException:  # Ctrl-C too must not leave the process behind
        server.stop()
        raise


def ask_for_ending(url: str, body: bytes, *, timeout_s: float) -> Ending:
    """How the answer ends that is asked for in one piece. Raises NotAnsweredError."""
    headers = {"Content-Type": "application/json"}
    try:
        answer = httpx.post(url, content=body, headers=headers, timeout=timeout_s, trust_env=False)
        said = message_in(answer.raise_for_status().content, OPENAI)
        finish, usage = said["choices"][0]["finish_reason"], said["usage"]
        if finish is None or usage is None:
            raise MessageError("no reason of its end, or no counts")
        return Ending(finish=finish, usage=usage)
    except (httpx.HTTPError, ValueError, LookupError, TypeError) as error:
        raise NotAnsweredError(f"{url} did not count its answer: {error}") from error


def _launch(launch: Launch, log: Path, port: int) -> ServerProcess:
    child = start_child(
        launch.command(port),
        log=log,
        env=launch.environment,
        without=launch.without,
        cwd=launch.cwd,
        orphan_signal=launch.orphan_signal,
    )
    return launch.process(launch.title, child, port, log, grace_s=launch.grace_s)


def _ready(probe: httpx.Client, launch: Launch, server: ServerProcess) -> Mapping[str, Any] | None:
    try:
        answer = probe.get(f"{server.url}{launch.ready}").raise_for_status()
        return launch.is_ready(answer)
    except (httpx.HTTPError, ValueError):
        return None

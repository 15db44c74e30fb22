"""Ollama's server process: its environment, its start, its end."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import ollama
import psutil

from python_runner.common.clock import NS_PER_S, now_ns
from python_runner.common.errors import EngineCrashError, EngineStartError
from python_runner.common.memory_end import with_memory_named
from python_runner.common.processes import start_child, tail
from python_runner.engines.contract import LaunchSettings
from python_runner.engines.ollama.go_trace import GoTrace, is_collection, process_start_ns
from python_runner.engines.ollama.store import OllamaStore
from python_runner.engines.served.message import parse
from python_runner.engines.served.server_process import ServerProcess, start_server

FOREVER = -1
"""How long a model is to stay in memory, as Ollama spells it."""

_PORT_TAKEN = "address already in use"
_PROBE_TIMEOUT_S = 2.0
_LOG_LINES = 12
_LOOK_BACK_LINES = 400
NOWHERE = "http://127.0.0.1:9"
"""An address where nothing answers (the port of the discard service)."""
_FEATURE = re.compile(r"\bCPU\.0\.(\w+)=1\b")
_MMAP = re.compile(r"\bUseMmap:(true|false)")
_BACKEND = re.compile(r"loaded CPU backend from (\S+)")
# What the runners say when they start; "go runner" is the one around llama.cpp.
_IS_GO_ENGINE = {'msg="starting ollama engine"': True, 'msg="starting go runner"': False}
# What of the user's environment would change the server behind our back. Empty is unset.
_GO_RUNTIME = ("GODEBUG", "GOGC", "GOMAXPROCS", "GOMEMLIMIT")


@dataclass(frozen=True, kw_only=True)
class Runner:
    """The process below the server that holds the model."""

    process: psutil.Process
    is_go_engine: bool
    """Ollama's newer engine, written in Go; else llama.cpp's in C++, and Go only serves."""

    def gogc(self) -> str:
        """GOGC as the process was given it; empty: unset."""
        try:
            return self.process.environ().get("GOGC", "")
        except psutil.Error as error:
            raise EngineStartError(f"Ollama's runner hides its variables: {error}") from error

    def is_alive(self) -> bool:
        """Whether it still runs; a dead one that the server has not noticed yet does not."""
        try:
            return self.process.is_running() and self.process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False


@dataclass(frozen=True, kw_only=True)
class Logged:
    """What a runner wrote about itself."""

    features: str
    """The CPU features that it uses (of `CPU.0.AVX2=1` and the like), separated by spaces."""
    backend: str
    """The library with the kernels, where it chose among several."""
    is_go_engine: bool | None
    """Which of the engines it says it is; None if it does not say."""
    maps_file: bool | None = None
    """Whether llama.cpp's engine computes with the file's own pages; None if it does not say."""


class OllamaServer(ServerProcess):
    """One server process, and the runner below it. `start_ollama` makes it."""

    def version(self) -> str | None:
        """The version that the server says it is; None as long as it does not answer."""
        try:
            answer = httpx.get(f"{self.url}/api/version", timeout=_PROBE_TIMEOUT_S, trust_env=False)
            return str(parse(answer.raise_for_status().content)["version"])
        except (httpx.HTTPError, ValueError, TypeError, KeyError):
            return None

    def take_in(self, store: OllamaStore, gguf: Path, name: str, *, timeout_s: float) -> bool:
        """Make the model `name` of a file unless it is there; whether that had to be done.

        Raises EngineStartError.
        """
        begun_ns = now_ns()
        with self._client("take the model", timeout_s) as client:
            if any(str(found.model).startswith(f"{name}:") for found in client.list().models):
                return False
            how = store.add(client, self.url, gguf)
        seconds = (now_ns() - begun_ns) / NS_PER_S
        with self.log.open("a") as log:
            log.write(f"polystack: made {name} of {gguf} in {seconds:.1f} s, by {how}\n")
        return True

    def load(self, name: str, options: Mapping[str, int], *, timeout_s: float) -> None:
        """Have the model loaded, for good. Raises EngineStartError."""
        with self._client("load the model", timeout_s) as client:
            # To Ollama, that is a request without a prompt.
            client.generate(name, options=options, keep_alive=FOREVER)

    @contextmanager
    def _client(self, purpose: str, timeout_s: float) -> Iterator[ollama.Client]:
        """The official client; what fails within the block becomes an EngineStartError."""
        try:
            with ollama.Client(host=self.url, timeout=timeout_s, trust_env=False) as client:
                yield client
        except (ollama.ResponseError, httpx.HTTPError, ConnectionError) as error:
            raise EngineStartError(
                f"Ollama did not {purpose}: {error}\n{self.end_of_log()}",
                hint=f"The whole log: {self.log}",
            ) from error

    def runner(self) -> Runner | None:
        """The process that holds the model, if one is loaded."""
        try:
            children = psutil.Process(self.pid).children(recursive=True)
            commands = [(child, child.cmdline()) for child in children]
        except psutil.NoSuchProcess:
            return None
        for process, command in commands:
            if "runner" in command and "--model" in command:
                return Runner(process=process, is_go_engine="--ollama-engine" in command)
        return None

    def end_of_log(self) -> str:
        """The last lines of its output that are not about Go's collector."""
        lines = tail(self.log, _LOOK_BACK_LINES).splitlines()
        return "\n".join([line for line in lines if not is_collection(line)][-_LOG_LINES:])

    def trace(self, runner: Runner) -> GoTrace | None:
        """Follows Go's collector in server and runner from now on; None where it cannot."""
        pids = {"server": self.pid, "runner": runner.process.pid}
        try:
            starts_ns = {name: process_start_ns(pid) for name, pid in pids.items()}
        except OSError:
            return None
        return GoTrace(self.log, starts_ns)

    def runner_gone(self) -> EngineCrashError:
        """What is to be raised when the runner has ended; its log says why, if anything does."""
        said = f"Ollama's runner, which holds the model, ended:\n{self.end_of_log()}"
        return EngineCrashError(with_memory_named(said), hint=f"The whole log: {self.log}")

    def logged(self) -> Logged:
        """What the runner wrote about itself."""
        return read_log(self.log.read_text(errors="replace").splitlines())


def start_ollama(
    binary: Path,
    store: OllamaStore,
    settings: LaunchSettings,
    log: Path,
    *,
    go_engine: bool,
    go_runtime: Mapping[str, str] | None = None,
) -> tuple[OllamaServer, str]:
    """A server that answers, and its version. Raises EngineStartError.

    With `go_engine` it is asked to run its own engine where that knows the model. `go_runtime`
    holds variables that Go's runtime reads in the server and in its runner.

    Call it from a thread that lives as long as the server (see `start_child`).
    """

    def launch(port: int) -> OllamaServer:
        environment = server_environment(
            os.environ, store, settings, port, go_engine=go_engine, go_runtime=go_runtime
        )
        return _launch(binary, store, environment, log, port)

    return start_server(
        launch,
        OllamaServer.version,
        port_taken=_PORT_TAKEN,
        timeout_s=settings.start_timeout_s,
    )


def _launch(
    binary: Path, store: OllamaStore, environment: Mapping[str, str], log: Path, port: int
) -> OllamaServer:
    store.models.mkdir(parents=True, exist_ok=True)
    store.home.mkdir(parents=True, exist_ok=True)
    child = start_child(
        [binary, "serve"],
        log=log,
        env=environment,
        # Ollama looks for libraries in `build/lib/ollama` below the current folder too.
        cwd=store.home,
        # On SIGTERM it ends its runner, which holds the model and would outlive it.
        orphan_signal=signal.SIGTERM,
    )
    return OllamaServer("Ollama", child, port, log)


def server_environment(
    inherited: Iterable[str],
    store: OllamaStore,
    settings: LaunchSettings,
    port: int,
    *,
    go_engine: bool,
    go_runtime: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Variables for the server; of `inherited`, the names that concern it are emptied."""
    foreign = [name for name in inherited if name.startswith("OLLAMA_")]
    return {
        **dict.fromkeys([*foreign, *_GO_RUNTIME], ""),
        **(go_runtime or {}),
        "HOME": str(store.home),
        "OLLAMA_MODELS": str(store.models),
        "OLLAMA_HOST": f"127.0.0.1:{port}",
        "OLLAMA_CONTEXT_LENGTH": str(settings.context),
        "OLLAMA_FLASH_ATTENTION": "0",
        "OLLAMA_KEEP_ALIVE": "-1",
        "OLLAMA_KV_CACHE_TYPE": "f16",
        "OLLAMA_LOAD_TIMEOUT": f"{settings.start_timeout_s:.0f}s",
        "OLLAMA_MAX_LOADED_MODELS": "1",
        "OLLAMA_NEW_ENGINE": "true" if go_engine else "",
        "OLLAMA_NUM_PARALLEL": str(settings.slots),
        # A linked blob must not be cleared away before its model is made.
        "OLLAMA_NOPRUNE": "1",
        # It has no business on the net; Go asks no proxy for 127.0.0.1.
        "OLLAMA_NO_CLOUD": "1",
        "HTTP_PROXY": NOWHERE,
        "HTTPS_PROXY": NOWHERE,
    }


def read_log(lines: Iterable[str]) -> Logged:
    """What the last runner in these lines of a log says of itself."""
    features, backend, is_go_engine, maps_file = "", "", None, None
    for line in lines:
        if found := _FEATURE.findall(line):
            features = " ".join(found)
        if loaded := _BACKEND.search(line):
            backend = Path(loaded[1]).name
        if mapping := _MMAP.search(line):
            maps_file = mapping[1] == "true"
        for words, is_go in _IS_GO_ENGINE.items():
            if words in line:
                is_go_engine = is_go
    return Logged(
        features=features, backend=backend, is_go_engine=is_go_engine, maps_file=maps_file
    )

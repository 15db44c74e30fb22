"""Run every client at every number of streams, in turns, and hold it against the truth."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from python_runner.common.errors import EngineError
from python_runner.common.processes import start_child, stop_tree, tail
from python_runner.common.progress import Progress
from python_runner.common.secrets import without_secrets
from python_runner.engines.served.streaming import prepare_stream_client
from python_runner.engines.served.truth import prepare_truth_server
from python_runner.run.client_bench.figures import ClientFigures, figures_of, middle_of
from python_runner.run.client_bench.programs import floor_program, hyper_program

FLOOR = "floor (C++)"
OURS = "polystack (Rust)"
HYPER = "hyper + tokio (Rust)"
_PYTHON = {"httpx": "with_httpx", "aiohttp": "with_aiohttp"}
_MOST_STREAMS_OF_PYTHON = 128
_PACKAGE = __package__ or ""
_NS_PER_MS = 1_000_000
_TIMEOUT_S = 300.0


@dataclass(frozen=True, kw_only=True)
class Bench:
    """What is measured."""

    streams: Sequence[int] = (1, 32, 128, 512, 1000)
    rounds: int = 3
    ttft_ms: int = 50
    itl_ms: int = 10
    tokens: int = 100
    is_burst: bool = False
    """All requests at once, and not spread over one ITL."""
    with_hyper: bool = False
    """Also a client on hyper and tokio, which cargo compiles first."""
    all_clients: bool = False
    """The clients in Python also where they take minutes."""

    @property
    def spread_ns(self) -> int:
        return 0 if self.is_burst else self.itl_ms * _NS_PER_MS

    def ideal_ns(self, streams: int) -> int:
        """From the start to the last event, by the schedule."""
        last_start = self.spread_ns * (streams - 1) // streams
        return last_start + (self.ttft_ms + (self.tokens - 1) * self.itl_ms) * _NS_PER_MS


@dataclass(frozen=True, kw_only=True)
class BenchRow:
    """One client at one number of streams; `figures` is None if it is not installed."""

    client: str
    streams: int
    figures: ClientFigures | None


def run_bench(bench: Bench, progress: Progress, *, logs: Path) -> Iterator[BenchRow]:
    """All rows, those of one number of streams together, the floor first.

    Raises:
        SetupError: the floor, the client or the server cannot be built.
        EngineError: a client failed, or missed an event.
    """
    programs = {FLOOR: floor_program(progress)}
    if bench.with_hyper:
        programs[HYPER] = hyper_program(progress)
    prepare_stream_client(progress)
    prepare_truth_server(progress)
    for streams in bench.streams:
        names = [FLOOR, OURS, *([HYPER] if bench.with_hyper else [])]
        if bench.all_clients or streams <= _MOST_STREAMS_OF_PYTHON:
            names += _PYTHON
        found: dict[str, list[ClientFigures]] = {name: [] for name in names}
        with progress.task(f"{streams} streams", why=f"{bench.rounds} rounds") as task:
            for number in range(bench.rounds):
                for name in names:
                    if find_spec(name) is None and name in _PYTHON:
                        continue
                    task.update(number / bench.rounds, name)
                    found[name].append(_measure(name, programs, streams, bench, logs))
        for name, rounds in found.items():
            figures = middle_of(rounds) if rounds else None
            yield BenchRow(client=name, streams=streams, figures=figures)


def _measure(
    name: str, programs: Mapping[str, Path], streams: int, bench: Bench, logs: Path
) -> ClientFigures:
    with _server(bench, logs) as url, tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "seen.json"
        words = [str(streams), str(bench.tokens), str(bench.spread_ns), str(file)]
        if name in programs:
            command: list[str | Path] = [programs[name], str(urlsplit(url).port), *words]
        else:
            module = "ours" if name == OURS else _PYTHON[name]
            command = [sys.executable, "-m", f"{_PACKAGE}.clients.{module}", url, *words]
        _run(name, command, logs / "client.log")
        seen = json.loads(file.read_text(encoding="utf-8"))
        truth = httpx.get(f"{url}/truth", timeout=_TIMEOUT_S, trust_env=False).json()
    try:
        return figures_of(seen, truth, ideal_ns=bench.ideal_ns(streams))
    except ValueError as error:
        raise EngineError(f"{name} at {streams} streams: {error}") from error


def _run(name: str, command: Sequence[str | Path], log: Path) -> None:
    child = start_child(command, log=log, env={})
    try:
        code = child.wait(timeout=_TIMEOUT_S)
    except subprocess.TimeoutExpired as error:
        raise EngineError(f"{name} had no answer after {_TIMEOUT_S:g} s") from error
    finally:
        stop_tree(child)
    if code != 0:
        raise EngineError(f"{name} failed: {tail(log)}", hint=f"Its log: {log}")


@contextmanager
def _server(bench: Bench, logs: Path) -> Iterator[str]:
    """The truth server in a process of its own."""
    logs.mkdir(parents=True, exist_ok=True)
    with (logs / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", f"{_PACKAGE}.server"),
                *(f"{bench.ttft_ms}ms", f"{bench.itl_ms}ms"),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env=without_secrets(os.environ),
        )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        url = process.stdout.readline().decode().strip()
        if not url:
            raise EngineError("the truth server did not start", hint=f"Its log: {log.name}")
        yield url
    finally:
        process.stdin.close()
        stop_tree(process)
        process.stdout.close()

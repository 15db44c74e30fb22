"""All prices, one after the other, on one model."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from python_runner.common.clock import NS_PER_S
from python_runner.common.errors import EngineError
from python_runner.common.host import physical_cores
from python_runner.common.processes import start_child, stop_tree, tail
from python_runner.common.progress import Progress
from python_runner.common.secrets import without_secrets
from python_runner.engines.build.llamacpp import llama_cpp_prefix
from python_runner.engines.contract import GenerateRequest, LaunchSettings, RunningEngine
from python_runner.engines.table import engine
from python_runner.engines.worker.program import worker_environment
from python_runner.models import ReferenceTokenizer, prepare_model
from python_runner.run.overhead.price import (
    Price,
    decode_rate,
    price_of_rate,
    price_with_bound,
)

_TEXT = "the price of"
_CONTEXT = 512
_PRECISION = "bf16"
_MOST_CPU = 0.02
_MOST_START_S = 0.3
_STARTS = 5
_HELP = "import sys; sys.argv[1:] = ['--help']; from python_runner.cli import main; main()"


@dataclass(frozen=True, kw_only=True)
class Survey:
    """What is asked of every part."""

    settings: LaunchSettings
    new_tokens: int
    rounds: int
    logs: Path
    progress: Progress


def survey_of(
    model: str, *, new_tokens: int, rounds: int, threads: int | None, logs: Path, progress: Progress
) -> Survey:
    """A survey on the CPU in bf16; makes the model if it is not there yet.

    Args:
        model: name of the model.
        new_tokens: of each answer; at least 2.
        rounds: pairs of requests for each ratio.
        threads: of each engine; None: the physical cores.
        logs: folder for what the children print.
        progress: where to report.

    Raises:
        UnknownNameError: no such model.
        ModelError: it could not be made.
    """
    prepared = prepare_model(model, {_PRECISION}, progress)
    settings = LaunchSettings(
        model=prepared,
        precision=_PRECISION,
        device="cpu",
        threads=threads or physical_cores(),
        context=_CONTEXT,
    )
    return Survey(
        settings=settings, new_tokens=new_tokens, rounds=rounds, logs=logs, progress=progress
    )


@dataclass(kw_only=True)
class _Orchestrator:
    """CPU time of this process while an engine decodes, beside the time that passed."""

    process: psutil.Process = field(default_factory=psutil.Process)
    cpu_s: float = 0.0
    wall_s: float = 0.0

    @contextmanager
    def watch(self) -> Iterator[None]:
        before, started = self.process.cpu_times(), time.monotonic()
        yield
        after = self.process.cpu_times()
        self.wall_s += time.monotonic() - started
        self.cpu_s += after.user + after.system - before.user - before.system


def overhead(survey: Survey) -> Iterator[Price]:
    """Each price as soon as it is known. Raises SetupError or EngineError."""
    orchestrator = _Orchestrator()
    parts: tuple[tuple[str, Callable[[], Iterator[Price]]], ...] = (
        ("the C++ binding", lambda: _llama_cpp(survey, orchestrator)),
        ("Ollama", lambda: _ollama(survey)),
        ("the Rust binding", lambda: _in_turns(survey, "mistral.rs", "a plain request to it")),
        ("transformers", lambda: _in_turns(survey, "transformers", "a plain generate")),
        ("starting", _starts),
    )
    for number, (title, part) in enumerate(parts):
        with survey.progress.task(f"The price of {title}", why="both in turns") as task:
            task.update(number / len(parts))
            yield from part()


def _llama_cpp(survey: Survey, orchestrator: _Orchestrator) -> Iterator[Price]:
    llama_bench = llama_cpp_prefix(survey.progress) / "bin" / "llama-bench"
    ours, bare = [], []
    with _started("llama.cpp", survey) as running:
        request = _request(survey)
        running.generate(request)
        for _ in range(survey.rounds):
            with orchestrator.watch():
                ours.append(decode_rate(running.generate(request)))
            bare.append(_llama_bench(llama_bench, survey))
    yield price_of_rate("C++ binding, decoding", "llama-bench, same build", ours, bare)
    yield price_with_bound(
        "workbench, engine decoding",
        cost=orchestrator.cpu_s / orchestrator.wall_s,
        most=_MOST_CPU,
        unit="cores",
    )


def _llama_bench(program: Path, survey: Survey) -> float:
    """Its tokens per second of one round of decoding."""
    weights = survey.settings.model.gguf[survey.settings.precision]
    words = [
        *(program, "--model", weights, "--threads", survey.settings.threads),
        *("--n-prompt", 0, "--n-gen", survey.new_tokens, "--repetitions", 1),
        *("--flash-attn", 0, "--output", "json"),
    ]
    printed = _output_of(words, survey, "llama-bench")
    # What it logs comes before.
    rate: float = json.loads(printed[printed.index("[\n") :])[0]["avg_ts"]
    return rate


def _ollama(survey: Survey) -> Iterator[Price]:
    ours, bare = [], []
    with _started("ollama", survey) as running:
        request = _request(survey)
        running.generate(request)
        for _ in range(survey.rounds):
            generation = running.generate(request)
            ours.append(decode_rate(generation))
            timings = generation.engine_timings
            # Its duration leaves out the first token, and its count does not.
            bare.append((timings["eval_count"] - 1) * NS_PER_S / timings["eval_duration_ns"])
    yield price_of_rate("Ollama, as we see it", "its own eval figure", ours, bare)


def _in_turns(survey: Survey, library: str, against: str) -> Iterator[Price]:
    engine(library).prepare(survey.progress)
    settings = survey.settings
    numbers = (settings.threads, survey.new_tokens, survey.rounds)
    words = [sys.executable, "-m", f"{__package__}.bare", library, settings.model.folder, *numbers]
    printed = _output_of(words, survey, f"bare-{library}")
    rates = json.loads(printed.splitlines()[-1])
    yield price_of_rate(f"{library}, whole requests", against, rates["ours"], rates["bare"])


def _starts() -> Iterator[Price]:
    for what, words in (
        ("import python_runner", ["-c", "import python_runner"]),
        ("polystack --help", ["-c", _HELP]),
    ):
        yield price_with_bound(
            what,
            cost=min(_start_seconds(words) for _ in range(_STARTS)),
            most=_MOST_START_S,
            unit="s",
        )


def _start_seconds(words: list[str]) -> float:
    started = time.monotonic()
    command, env = [sys.executable, *words], without_secrets(os.environ)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=env)
    return time.monotonic() - started


@contextmanager
def _started(name: str, survey: Survey) -> Iterator[RunningEngine]:
    stack = engine(name)
    stack.prepare(survey.progress)
    with stack.start(survey.settings, survey.logs / f"{name}.log") as running:
        yield running


def _request(survey: Survey) -> GenerateRequest:
    ids = ReferenceTokenizer(survey.settings.model.folder).encode(_TEXT)
    return GenerateRequest(prompt_text=_TEXT, prompt_ids=tuple(ids), new_tokens=survey.new_tokens)


def _output_of(words: list[object], survey: Survey, name: str) -> str:
    """What a child prints, in the worker's environment. Raises EngineError if it fails."""
    log = survey.logs / f"{name}.log"
    log.unlink(missing_ok=True)
    child = start_child(
        [str(word) for word in words], log=log, env=worker_environment(survey.settings.threads)
    )
    try:
        code = child.wait()
    finally:
        stop_tree(child)
    if code:
        raise EngineError(f"{name} ended with code {code}: {tail(log)}")
    return log.read_text(encoding="utf-8", errors="replace")

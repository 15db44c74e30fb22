"""What tells Ollama's rows apart, and what each says of itself once it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from python_runner.common.errors import EngineStartError
from python_runner.common.progress import Progress
from python_runner.engines.build.ollama import OllamaBuild, ollama_build
from python_runner.engines.contract import EngineDescription, EngineSpec
from python_runner.engines.ggml import ggml_facts
from python_runner.engines.ollama_server import Logged, OllamaServer, Runner

BATCH = 512
"""Prompt tokens computed at once."""


@dataclass(frozen=True, kw_only=True)
class Variant:
    """What tells the rows that Ollama has apart."""

    spec: EngineSpec
    find: Callable[[Progress], OllamaBuild] = ollama_build
    """Finds or builds the server; raises SetupError."""
    models: str = "ollama-models"
    """Its folder in the cache; another version of Ollama gets another."""
    go_engine: bool = False
    """Whether the engine in Go is asked for, and nothing else will do."""
    is_built_here: bool = True
    """Whether it is for us to say how it is compiled."""


def describe(
    variant: Variant, build: OllamaBuild, version: str, server: OllamaServer, runner: Runner
) -> EngineDescription:
    """Raises EngineStartError if another Ollama answers, or another engine than asked for."""
    if version != build.version:
        raise EngineStartError(
            f"Ollama says it is {version}, and {build.version} was expected",
            hint=f"What was started is {build.binary}: remove it, and run again.",
        )
    logged = server.logged()
    _check_engine(variant, runner, logged, server.log)
    engine = "Ollama's own, in Go, on ggml" if runner.is_go_engine else "llama.cpp's, in C++"
    return EngineDescription(
        version=version,
        build={
            **build.facts,
            "engine": engine,
            "instruction sets": logged.features or "not logged",
            **({"kernels": logged.backend} if logged.backend else {}),
            "flash attention": "off",
            "KV cache": "f16",
            "prompt cache": "on: it cannot be switched off",
            "prompt tokens computed at once": str(BATCH),
            **ggml_facts(
                version=build.ggml,
                features=logged.features,
                keeps_threads=False,
                is_mapped=False if runner.is_go_engine else logged.maps_file,
            ),
        },
        label=label(variant.spec.plain_title, is_go_engine=runner.is_go_engine),
    )


def _check_engine(variant: Variant, runner: Runner, logged: Logged, log: Path) -> None:
    """The runner's command line and its log must agree on which engine it is."""
    if logged.is_go_engine not in {None, runner.is_go_engine}:
        raise EngineStartError(
            "Ollama's log and its runner differ on which engine runs", hint=f"Its log: {log}"
        )
    if variant.go_engine and not (runner.is_go_engine and logged.is_go_engine):
        raise EngineStartError(
            "Ollama did not run its engine in Go, which was asked for",
            hint=f"It falls back to llama.cpp's where it does not know a model. Its log: {log}",
        )


def label(title: str, *, is_go_engine: bool) -> str:
    """The title of a result: which of the two engines ran stands in it."""
    engine = "(Go engine)" if is_go_engine else "(C++ engine)"
    return title if engine in title else f"{title} {engine}"

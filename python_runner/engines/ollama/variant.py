"""What tells Ollama's rows apart, and what each says of itself once it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from python_runner.common.errors import EngineStartError
from python_runner.common.progress import Progress
from python_runner.engines.build.ollama import OllamaBuild, ollama_build
from python_runner.engines.contract import (
    AT_LOAD,
    CONTEXT_MEMORY,
    FLASH_ATTENTION,
    KV_CACHE,
    PROMPT_CACHE,
    EngineDescription,
    EngineSpec,
)
from python_runner.engines.ggml.facts import ggml_facts
from python_runner.engines.ollama.collectors import GOGC_DEFAULT
from python_runner.engines.ollama.go_trace import SETTING
from python_runner.engines.ollama.server import Logged, OllamaServer, Runner

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
    gogc: str = ""
    """Go's own GOGC for server and runner; empty: its default, 100."""
    trace_gc: bool = True
    """Whether Go's collector is followed in server and runner; no cost could be measured."""

    @property
    def go_runtime(self) -> dict[str, str]:
        """Variables for Go's runtime in both processes."""
        return {"GOGC": self.gogc, "GODEBUG": SETTING if self.trace_gc else ""}


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
            "GOGC": _collector(variant, runner, server.log),
            "instruction sets": logged.features or "not logged",
            **({"kernels": logged.backend} if logged.backend else {}),
            FLASH_ATTENTION: "off",
            KV_CACHE: "f16",
            CONTEXT_MEMORY: AT_LOAD,
            PROMPT_CACHE: "on: it cannot be switched off",
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


def _collector(variant: Variant, runner: Runner, log: Path) -> str:
    """How Go's collector is set in the process that holds the model: asked of that process."""
    found = runner.gogc()
    if found != variant.gogc:
        raise EngineStartError(
            f"Ollama's runner has GOGC {found!r}, and {variant.gogc!r} was asked for",
            hint=f"Its log: {log}",
        )
    return f"{found}, in server and runner" if found else f"{GOGC_DEFAULT}, Go's default"


def label(title: str, *, is_go_engine: bool) -> str:
    """The title of a result: which of the two engines ran stands in it."""
    engine = "(Go engine)" if is_go_engine else "(C++ engine)"
    return title if engine in title else f"{title} {engine}"

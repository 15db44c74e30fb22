"""Go in process: our driver (`native/go/driver`), a Go program on Ollama's packages.

It is a worker process like those of the other embedded engines, and not in Python: prompts go
in as ids, each token is stamped in Go when it is chosen, and the counters of Go's garbage
collector come with each answer. Two rows for Ollama's two engines: with the first Go calls
llama.cpp token after token, with the second it builds the model's graph too.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from python_runner.common.errors import EngineStartError
from python_runner.common.progress import Progress, SilentProgress
from python_runner.engines.build.go_driver import go_driver_build
from python_runner.engines.contract import (
    AT_LOAD,
    CONTEXT_MEMORY,
    EngineSpec,
    Language,
    LaunchSettings,
    Reach,
    Shipped,
)
from python_runner.engines.embedded import EmbeddedEngine
from python_runner.engines.weights import gguf_formats, gguf_type, weights_held
from python_runner.engines.worker_program import WorkerProgram

GOGC_VARIABLE = "POLYSTACK_GOGC"
"""Go's own GOGC for the driver: a percentage, or `off`. By default Go's default."""
FORCE_GC_VARIABLE = "POLYSTACK_GO_FORCE_GC"
"""1: collect garbage after every token, to see that the counters see it."""

SPEC = EngineSpec(
    name="go-driver",
    title="Go driver (C++ engine)",
    language=Language.GO,
    reach=Reach.EMBEDDED,
    formats=gguf_formats(shipped="q4_0"),
    model_format="gguf",
    can_ignore_end_of_sequence=True,
    reports_token_ids=True,
    takes_token_ids=True,
    shipped=Shipped(context=4096),  # as Ollama
)

_GOGC = re.compile(r"off|[1-9]\d{0,8}")
# What of the user's environment would change the driver behind our back. Empty is unset.
_GO_RUNTIME = ("GODEBUG", "GOGC", "GOMAXPROCS", "GOMEMLIMIT")
_LIBRARIES = ("OLLAMA_", "GGML_", "LLAMA_")


@dataclass(frozen=True, kw_only=True)
class Collector:
    """How Go's garbage collector is set for a driver."""

    gogc: str = ""
    """How much the heap may grow between two collections, in per cent, or `off`. Empty: Go's
    default, 100."""
    forced: bool = False
    """Collect after every token."""

    def __post_init__(self) -> None:
        if self.gogc and not _GOGC.fullmatch(self.gogc):
            # Go would take what it does not understand for its default, without a word.
            raise EngineStartError(
                f"GOGC cannot be {self.gogc!r}",
                hint=f"{GOGC_VARIABLE} is `off` or a percentage, 100 by default.",
            )


def collector_from(variables: Mapping[str, str]) -> Collector:
    """The settings that the user's environment asks for. Raises EngineStartError."""
    return Collector(
        gogc=variables.get(GOGC_VARIABLE, ""), forced=variables.get(FORCE_GC_VARIABLE) == "1"
    )


def driver_environment(inherited: Iterable[str], collector: Collector) -> dict[str, str]:
    """Variables for the driver; of `inherited`, the names that concern it are emptied."""
    foreign = [name for name in inherited if name.startswith(_LIBRARIES)]
    return {
        **dict.fromkeys([*foreign, *_GO_RUNTIME], ""),
        "GOGC": collector.gogc,
        FORCE_GC_VARIABLE: "1" if collector.forced else "",
        # Empty is not unset here: no folder is searched for further libraries.
        "OLLAMA_LIBRARY_PATH": "",
    }


def prepare(progress: Progress) -> None:
    """Build the driver, ggml included. Raises SetupError."""
    go_driver_build(progress)


def go_driver(*, go_engine: bool = False, collector: Collector | None = None) -> EmbeddedEngine:
    """The driver with one of Ollama's engines.

    Args:
        go_engine: the engine in Go instead of llama.cpp's.
        collector: how Go's collector is set; by default as the environment says at each start.
    """
    spec = SPEC
    if go_engine:
        spec = replace(SPEC, name="go-driver-go-engine", title="Go driver (Go engine)")

    def environment(settings: LaunchSettings) -> dict[str, str]:
        return driver_environment(os.environ, collector or collector_from(os.environ))

    return EmbeddedEngine(
        spec=spec,
        prepare=prepare,
        loader="go" if go_engine else "llama.cpp",
        environment=environment,
        program=_program,
    )


def _program(settings: LaunchSettings) -> WorkerProgram:
    build = go_driver_build(SilentProgress())  # `prepare` has built everything
    facts = {**build.facts, CONTEXT_MEMORY: AT_LOAD, **weights_held(SPEC, settings)}
    named = replace(settings, precision=gguf_type(SPEC, settings))
    return WorkerProgram(command=(build.binary,), facts=facts, settings=named)


ENGINE = go_driver()
GO_ENGINE = go_driver(go_engine=True)

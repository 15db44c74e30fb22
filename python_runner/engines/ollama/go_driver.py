"""Go in process: our driver (`native/go/driver`), a Go program on Ollama's packages.

It is a worker process like those of the other embedded engines, and not in Python: prompts go
in as ids, each token is stamped in Go when it is chosen, and the counters of Go's garbage
collector come with each answer. Two rows for Ollama's two engines: with the first Go calls
llama.cpp token after token, with the second it builds the model's graph too.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from python_runner.common.errors import EngineStartError
from python_runner.common.progress import Progress, SilentProgress
from python_runner.common.variants import knobs_of
from python_runner.engines.build.ggml import OLLAMA, GgmlOptions
from python_runner.engines.build.go_driver import go_driver_build
from python_runner.engines.build.ollama_source import known_source
from python_runner.engines.contract import (
    AT_LOAD,
    CONTEXT_MEMORY,
    EngineSpec,
    Language,
    LaunchSettings,
    Reach,
    Shipped,
)
from python_runner.engines.ggml.facts import features_logged, ggml_facts
from python_runner.engines.ggml.knobs import OLLAMA_KNOBS, ollama_options, words
from python_runner.engines.ggml.weights import gguf_formats, gguf_type, weights_held
from python_runner.engines.ollama.collectors import GOGC, GOGC_KNOB, gogc_value, gogc_words
from python_runner.engines.variants import one_of, variant_spec
from python_runner.engines.worker.embedded import EmbeddedEngine
from python_runner.engines.worker.program import WorkerProgram

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
        if self.gogc and not GOGC.fullmatch(self.gogc):
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


def prepare(progress: Progress, ggml: GgmlOptions = OLLAMA) -> None:
    """Build the driver, ggml included. Raises SetupError."""
    go_driver_build(progress, ggml)


class GoDriver(EmbeddedEngine):
    """The driver with one of Ollama's engines. Implements `contract.Engine` and `Tunable`."""

    knobs: Mapping[str, str] = MappingProxyType(
        {"gogc": GOGC_KNOB, "forced-gc": "a collection after every token: on or off"}
        | dict(OLLAMA_KNOBS)
    )

    def __init__(
        self,
        spec: EngineSpec,
        *,
        go_engine: bool,
        collector: Collector | None = None,
        ggml: GgmlOptions = OLLAMA,
    ) -> None:
        """Without a collector, Go's is set as the environment says at each start."""
        super().__init__(
            spec=spec,
            prepare=lambda progress: prepare(progress, ggml),
            loader="go" if go_engine else "llama.cpp",
            environment=self._variables,
            program=lambda settings: _program(settings, ggml, go_engine=go_engine),
        )
        self._go_engine = go_engine
        self._collector = collector

    def tuned(self, knobs: Mapping[str, str]) -> GoDriver:
        """With these knobs besides those that are turned already. Raises UsageError.

        Where Go's collector is set by a knob, the environment says nothing.
        """
        collectors = {knob: value for knob, value in knobs.items() if knob in _COLLECTOR_WORDS}
        compiled = {knob: value for knob, value in knobs.items() if knob not in collectors}
        said = [_COLLECTOR_WORDS[knob](value) for knob, value in collectors.items()]
        spec = variant_spec(self.spec, knobs, [*said, *words(compiled)])
        turned = knobs_of(spec.name)
        return GoDriver(
            spec,
            go_engine=self._go_engine,
            collector=_collector_of(turned) or self._collector,
            ggml=ollama_options(turned),
        )

    def _variables(self, _settings: LaunchSettings) -> dict[str, str]:
        return driver_environment(os.environ, self._collector or collector_from(os.environ))


def _collector_of(knobs: Mapping[str, str]) -> Collector | None:
    """What these knobs make of Go's collector; None if they leave it alone."""
    if not knobs.keys() & _COLLECTOR_WORDS.keys():
        return None
    forced = one_of("forced-gc", knobs.get("forced-gc", "off"), ("on", "off")) == "on"
    return Collector(gogc=gogc_value(knobs["gogc"]) if "gogc" in knobs else "", forced=forced)


_COLLECTOR_WORDS: Mapping[str, Callable[[str], str]] = MappingProxyType(
    {
        "gogc": gogc_words,
        "forced-gc": lambda value: (
            "forced collections" if value == "on" else "no forced collections"
        ),
    }
)
"""The knobs of Go's collector, and what a title says of each."""


def go_driver(*, go_engine: bool = False, collector: Collector | None = None) -> GoDriver:
    """The driver with one of Ollama's engines.

    Args:
        go_engine: the engine in Go instead of llama.cpp's.
        collector: how Go's collector is set; by default as the environment says at each start.
    """
    spec = SPEC
    if go_engine:
        spec = replace(SPEC, name="go-driver-go-engine", title="Go driver (Go engine)")
    return GoDriver(spec, go_engine=go_engine, collector=collector)


def _program(settings: LaunchSettings, ggml: GgmlOptions, *, go_engine: bool) -> WorkerProgram:
    build = go_driver_build(SilentProgress(), ggml)  # `prepare` has built everything
    source = known_source()

    def infer(facts: Mapping[str, str]) -> dict[str, str]:
        return ggml_facts(
            version=source.ggml if source else "",
            features=features_logged(facts["instruction sets"]),
            keeps_threads=False,
            # The engine in Go copies the weights out of the file.
            is_mapped=not go_engine,
        )

    return WorkerProgram(
        command=(build.binary,),
        facts={**build.facts, CONTEXT_MEMORY: AT_LOAD, **weights_held(SPEC, settings)},
        settings=replace(settings, precision=gguf_type(SPEC, settings)),
        infer=infer,
    )


ENGINE = go_driver()
GO_ENGINE = go_driver(go_engine=True)

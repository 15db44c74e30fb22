"""Variants: a stack with some of its knobs turned, as a stack of its own.

Some knobs are an engine's (`contract.Tunable`). Those of the settings that all engines of a
comparison share belong to the workbench and work for every engine: here a variant differs
from the others on purpose, and its title says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from python_runner.common.errors import UsageError
from python_runner.common.progress import Progress
from python_runner.common.variants import parse_stack
from python_runner.engines.contract import (
    Engine,
    EngineSpec,
    LaunchSettings,
    RunningEngine,
    WeightFormat,
)
from python_runner.engines.tuning import Tunable, settings_of

PRECISIONS = ("bf16", "8bit", "shipped")
"""The words of a study for a precision."""

COMMON_KNOBS: Mapping[str, str] = MappingProxyType(
    {
        "threads": "threads of the engine, a number",
        "precision": "precision of the weights: bf16, 8bit or shipped",
        "context": "tokens of context, a number",
    }
)
"""Name of each knob that every engine has, to what it does and which values it takes."""


@dataclass(frozen=True, kw_only=True)
class AdjustedEngine:
    """An engine that is started with other settings. Implements `contract.Engine`, `Adjusts`."""

    base: Engine
    spec: EngineSpec
    threads: int | None = None
    precision: str | None = None
    context: int | None = None
    """None: as all others."""

    def prepare(self, progress: Progress) -> None:
        """Find or build what the engine needs."""
        self.base.prepare(progress)

    def settings_for(self, settings: LaunchSettings) -> LaunchSettings:
        return replace(
            settings_of(self.base, settings),
            threads=self.threads or settings.threads,
            precision=self.precision or settings.precision,
            context=self.context or settings.context,
        )

    def start(self, settings: LaunchSettings, log: Path) -> RunningEngine:
        """Start the engine with its own settings."""
        return self.base.start(self.settings_for(settings), log)


def all_knobs(engine: Engine) -> dict[str, str]:
    """Each knob of an engine, its own first, to what it does and which values it takes."""
    own = engine.knobs if isinstance(engine, Tunable) else {}
    return {**own, **COMMON_KNOBS}


def variant_of(engine: Engine, knobs: Mapping[str, str]) -> Engine:
    """The engine with these knobs turned.

    Raises:
        UsageError: it has no such knob, or the knob no such value.
    """
    known = all_knobs(engine)
    if unknown := [knob for knob in knobs if knob not in known]:
        raise UsageError(
            f"{engine.spec.name} has no knob {unknown[0]!r}",
            hint="It has: " + "; ".join(f"{knob} ({what})" for knob, what in known.items()) + ".",
        )
    common = {knob: value for knob, value in knobs.items() if knob in COMMON_KNOBS}
    own = {knob: value for knob, value in knobs.items() if knob not in COMMON_KNOBS}
    found = engine.tuned(own) if own and isinstance(engine, Tunable) else engine
    return _adjusted(found, common) if common else found


def variant_spec(spec: EngineSpec, knobs: Mapping[str, str], words: Sequence[str]) -> EngineSpec:
    """The spec of a variant.

    Args:
        spec: of the engine, or of the variant that these knobs come on top of.
        knobs: what is turned besides.
        words: the same for people, as the title has it: `GOGC off`, `1 thread`.
    """
    said = ", ".join([spec.variant, *words] if spec.variant else words)
    return replace(
        spec,
        name=str(parse_stack(spec.name).turned(knobs)),
        title=f"{spec.plain_title}, {said}",
        variant=said,
    )


def always_in(spec: EngineSpec, chosen: WeightFormat) -> EngineSpec:
    """The spec of a stack that holds its weights so, whatever word a study has for all."""
    return replace(spec, formats=dict.fromkeys((*PRECISIONS, *spec.formats), chosen))


def one_of(knob: str, value: str, allowed: Sequence[str]) -> str:
    """`value`. Raises UsageError if the knob does not take it."""
    if value not in allowed:
        raise UsageError(f"{knob} cannot be {value!r}", hint=f"It can be {', '.join(allowed)}.")
    return value


def _adjusted(engine: Engine, knobs: Mapping[str, str]) -> AdjustedEngine:
    spec = variant_spec(engine.spec, knobs, [_WORDS[knob](value) for knob, value in knobs.items()])
    precision = knobs.get("precision")
    if precision:
        one_of(f"precision of {engine.spec.name}", precision, tuple(engine.spec.formats))
        spec = always_in(spec, spec.formats[precision])
    return AdjustedEngine(
        base=engine,
        spec=spec,
        threads=_number("threads", knobs),
        precision=precision,
        context=_number("context", knobs),
    )


def _number(knob: str, knobs: Mapping[str, str]) -> int | None:
    value = knobs.get(knob)
    if value is None:
        return None
    if not value.isdecimal() or value.startswith("0"):
        raise UsageError(f"{knob} cannot be {value!r}", hint="It is a whole number from 1 on.")
    return int(value)


_WORDS: Mapping[str, Callable[[str], str]] = MappingProxyType(
    {
        "threads": lambda value: "1 thread" if value == "1" else f"{value} threads",
        "precision": lambda value: value,
        "context": lambda value: f"context {value}",
    }
)
"""What the title says of each."""

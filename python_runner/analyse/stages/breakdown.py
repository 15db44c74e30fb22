"""The stages of one request, from what its engine said of it.

Every engine has figures of its own; their names tell which kind it is, so variants and
plug-ins need nothing here. docs/methodology.md has the table of where each stage comes from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np

from python_runner.common.clock import NS_PER_MS
from python_runner.engines.contract import Language, Reach

_WITHOUT_COLLECTOR = (Language.CPP, Language.RUST)


class Stage(StrEnum):
    """A part of a request's time; all but the last two in the order in which they come."""

    QUEUE = "queue and HTTP"
    TOKENISE = "template and tokeniser"
    PREFILL = "prefill"
    DECODE = "decode"
    SAMPLE = "sampling and detokenising"
    COLLECT = "garbage collector"
    REST = "rest"


@dataclass(frozen=True, kw_only=True)
class Breakdown:
    """One request, taken apart. The stages that are seen add up to `request_ns`."""

    request_ns: int
    """From sending the request to the end of its answer, text included."""
    ns: Mapping[Stage, float]
    """Of each stage that is seen."""
    hidden: Mapping[Stage, Stage] = field(default_factory=dict)
    """A stage that cannot be told apart, to the stage whose time it is part of."""
    unattributed_ns: float
    """The part of the rest that nothing is known of."""


@dataclass(frozen=True, kw_only=True)
class _Parts:
    """What an engine's figures say, before it is made to add up."""

    ns: Mapping[Stage, float]
    known_rest_ns: float = 0.0
    """Time that is known to be none of the other stages."""
    pauses_ns: float = 0.0
    """A collector's pauses, which lie within other stages, nobody knows in which."""
    hidden: Mapping[Stage, Stage] = field(default_factory=dict)


def breakdown(sample: Mapping[Any, Any]) -> Breakdown | None:
    """The stages of one request; None if it has no answer.

    Args:
        sample: a row of the samples, as `store` reads them.
    """
    request_ns = int(sample["ended_ns"]) - int(sample["requested_ns"])
    if not np.size(sample["chunk_ns"]) or request_ns <= 0:
        return None
    timings = sample["engine_timings"] or {}
    for names, read in _KINDS:
        if all(name in timings for name in names):
            return _adding_up(request_ns, read(timings, request_ns))
    return _adding_up(request_ns, _by_our_stamps(sample, request_ns))


def _adding_up(request_ns: int, parts: _Parts) -> Breakdown:
    """`parts` with the rest, as a sum of exactly `request_ns`."""
    ns = dict(parts.ns)
    largest = max(ns, key=lambda stage: ns[stage])
    pauses_ns = min(parts.pauses_ns, ns[largest])
    ns[largest] -= pauses_ns
    if pauses_ns or Stage.COLLECT not in parts.hidden:
        ns[Stage.COLLECT] = ns.get(Stage.COLLECT, 0.0) + pauses_ns
    rest_ns = request_ns - sum(ns.values())
    if rest_ns < 0:
        # Figures of two programs, rounded and read a little apart.
        ns[largest] += rest_ns
        rest_ns = 0.0
    ns[Stage.REST] = rest_ns
    return Breakdown(
        request_ns=request_ns,
        ns={stage: ns[stage] for stage in Stage if stage in ns},
        hidden=parts.hidden,
        unattributed_ns=max(0.0, rest_ns - parts.known_rest_ns),
    )


def _in_our_worker(timings: Mapping[str, float], _request_ns: int) -> _Parts:
    """Embedded engines that we drive ourselves: llama.cpp, mistral.rs, transformers, Go.

    `gc_ns` and `forced_gc_ns` are parts of their own, `gc_pause_ns` counts all pauses, also
    those within other parts.
    """

    def get(name: str) -> float:
        return timings.get(name, 0.0)

    collected = get("gc_ns") + get("forced_gc_ns")
    return _Parts(
        ns={
            Stage.QUEUE: 0.0,
            Stage.TOKENISE: get("tokenise_ns"),
            Stage.PREFILL: timings["prefill_ns"],
            Stage.DECODE: timings["decode_ns"],
            Stage.SAMPLE: timings["sample_ns"] + get("detokenise_ns"),
            Stage.COLLECT: collected,
        },
        known_rest_ns=get("setup_ns") + get("loop_ns"),
        pauses_ns=max(0.0, get("gc_pause_ns") - collected),
    )


def _ollama(timings: Mapping[str, float], request_ns: int) -> _Parts:
    """Ollama: what its server's total leaves out is our side of HTTP.

    Its two durations hold the passes through the model and nothing else, so tokeniser, sampler,
    text and the way between server and runner are in the rest.
    """
    total, load = timings["total_duration_ns"], timings["load_duration_ns"]
    traced = "gc_pause_ns" in timings
    return _Parts(
        ns={
            # What it calls loading is finding the runner, once the model is in memory.
            Stage.QUEUE: max(0.0, request_ns - total) + load,
            Stage.PREFILL: timings["prompt_eval_duration_ns"],
            Stage.DECODE: timings["eval_duration_ns"],
        },
        pauses_ns=timings.get("gc_pause_ns", 0.0),
        hidden={
            Stage.TOKENISE: Stage.REST,
            Stage.SAMPLE: Stage.REST,
            **({} if traced else {Stage.COLLECT: Stage.REST}),
        },
    )


def _llama_server(timings: Mapping[str, float], request_ns: int) -> _Parts:
    """llama.cpp's server: its two times follow each other and hold the sampler and the text."""
    prefill, decode = (timings[name] * NS_PER_MS for name in ("prompt_ms", "predicted_ms"))
    return _Parts(
        ns={
            Stage.QUEUE: max(0.0, request_ns - prefill - decode),
            Stage.TOKENISE: 0.0,  # the prompt comes as ids
            Stage.PREFILL: prefill,
            Stage.DECODE: decode,
        },
        hidden={Stage.SAMPLE: Stage.DECODE},
    )


def _ctypes_binding(timings: Mapping[str, float], request_ns: int) -> _Parts:
    """llama-cpp-python: llama.cpp's own times, of the passes through the model and nothing else.

    In process all else is the package's loop, its sampler and the text. Over HTTP queue,
    tokeniser and collector are in the rest, too.
    """
    prefill, decode = (timings[name] * NS_PER_MS for name in ("prompt_eval_ms", "eval_ms"))
    ns = {Stage.PREFILL: prefill, Stage.DECODE: decode}
    if "gc_ns" not in timings:
        hidden = (Stage.QUEUE, Stage.TOKENISE, Stage.SAMPLE, Stage.COLLECT)
        return _Parts(ns=ns, hidden=dict.fromkeys(hidden, Stage.REST))
    # In process the prompt comes as ids.
    ns |= {Stage.QUEUE: 0.0, Stage.TOKENISE: 0.0, Stage.COLLECT: timings["gc_ns"]}
    loop_ns = request_ns - sum(ns.values())
    return _Parts(ns=ns, known_rest_ns=loop_ns, hidden={Stage.SAMPLE: Stage.REST})


def _by_our_stamps(sample: Mapping[Any, Any], request_ns: int) -> _Parts:
    """An engine that says nothing: until the first chunk, and from there to the last."""
    stamps = np.asarray(sample["chunk_ns"], dtype=np.int64)
    first_ns, last_ns = (int(stamp) - int(sample["requested_ns"]) for stamp in stamps[[0, -1]])
    hidden = {Stage.TOKENISE: Stage.PREFILL, Stage.SAMPLE: Stage.DECODE}
    ns: dict[Stage, float] = {Stage.PREFILL: first_ns, Stage.DECODE: last_ns - first_ns}
    if sample["language"] not in _WITHOUT_COLLECTOR:
        hidden[Stage.COLLECT] = Stage.DECODE
    if sample["reach"] == Reach.EMBEDDED:
        ns[Stage.QUEUE] = 0.0
    else:
        hidden[Stage.QUEUE] = Stage.PREFILL
    return _Parts(ns=ns, hidden=hidden)


_Reader = Callable[[Mapping[str, float], int], _Parts]
_KINDS: tuple[tuple[tuple[str, ...], _Reader], ...] = (
    (("prefill_ns", "decode_ns", "sample_ns"), _in_our_worker),
    (
        (
            *("total_duration_ns", "load_duration_ns"),
            *("prompt_eval_duration_ns", "eval_duration_ns"),
        ),
        _ollama,
    ),
    (("prompt_ms", "predicted_ms"), _llama_server),
    (("prompt_eval_ms", "eval_ms"), _ctypes_binding),
)
"""The figures by which a kind of engine is known, and how they are read."""

"""Frames as `store` reads them, built without chance: the same numbers on every machine."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from python_runner import store

NS_PER_S = 1_000_000_000
NEW_TOKENS = 8
PROMPT_TOKENS = 48
CLIENT_ERROR = {
    "streams": 1,
    "events": 200,
    "ttft_p50_ms": 0.21,
    "ttft_p99_ms": 0.9,
    "itl_p50_ms": 0.04,
    "itl_p99_ms": 0.6,
    "rate_share": 0.998,
    "cpu_s_per_1000_events": 0.006,
    "server_late_p99_ms": 0.1,
    "warning": "",
}
CPU = "Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz"


class Frames(NamedTuple):
    samples: pd.DataFrame
    conditions: pd.DataFrame
    runs: pd.DataFrame

    def stored(self) -> store.Frames:
        """As `read_frames` gives them: with tables for loads, which are empty."""
        with store.Store(Path(":memory:")) as empty:
            return replace(store.read_frames(empty), **self._asdict())


@dataclass(frozen=True, kw_only=True)
class FakeStack:
    """A stack and how it is to behave."""

    name: str
    title: str
    language: str
    reach: str = "embedded"
    version: str = "1.2.3"
    e2e_s: float = 8.0
    ttft_part: float = 0.2
    noise: float = 0.03
    drift: float = 0.0
    """Part by which the last iteration is slower than the first."""
    model: str = "gemma-2-2b-synthetic"
    model_label: str = "Gemma-2-2B shape, random weights"
    is_synthetic: bool = True
    build: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)
    load_seconds: float = 6.4
    peak_memory_bytes: float = 5.6e9
    error: str = ""
    """Why there are fewer samples than planned, or none."""
    samples_kept: int | None = None
    """Requests that were made, warm-up included; None: all."""
    failures: Mapping[int, str] = field(default_factory=dict)
    """Timed iteration to error."""
    early_stops: Mapping[int, int] = field(default_factory=dict)
    """Timed iteration to the number of tokens that came."""


LLAMA_CPP = FakeStack(
    name="llama.cpp",
    title="llama.cpp",
    language="C++",
    version="0.3.36",
    e2e_s=7.9,
    build={"compiler": "gcc 12.2", "flags": "-O3 -mavx512f", "amx": "off"},
    load_seconds=3.12,
)
OLLAMA = FakeStack(
    name="ollama",
    title="Ollama",
    language="Go",
    reach="served",
    version="0.17.4",
    e2e_s=8.3,
    build={"go": "1.26", "CGO_CFLAGS": "-O3 -march=native -mno-amx-tile"},
    load_seconds=15.2,
)
MISTRAL_RS = FakeStack(
    name="mistral.rs-wheel",
    title="mistral.rs (wheel)",
    language="Rust",
    version="0.9.5",
    e2e_s=27.0,
    build={"wheel": "official, flags not known"},
    load_seconds=33.0,
)
TRANSFORMERS = FakeStack(
    name="transformers",
    title="transformers",
    language="Python",
    version="5.23.0",
    e2e_s=7.1,
    drift=-0.04,
    build={"torch": "2.15.0+cpu"},
    load_seconds=6.0,
    peak_memory_bytes=6.9e9,
)
FOUR = (LLAMA_CPP, OLLAMA, MISTRAL_RS, TRANSFORMERS)


def build_frames(
    stacks: Sequence[FakeStack] = FOUR,
    *,
    iterations: int = 10,
    warmup: int = 2,
    run_id: int = 7,
    status: str = "complete",
) -> Frames:
    """One run over `stacks`."""
    study = {
        "name": "languages",
        "model": "gemma-2-2b-synthetic",
        "iterations": iterations,
        "blocks": 5,
        "warmup": warmup,
        "workload": {"prompt_tokens": PROMPT_TOKENS, "new_tokens": NEW_TOKENS},
    }
    runs = pd.DataFrame(
        [
            {
                "run_id": run_id,
                "study": "languages",
                "created": "2026-11-20T10:15:00+00:00",
                "status": status,
                "study_json": json.dumps(study),
                "host": {
                    "cpu": CPU,
                    "cores": 2,
                    "memory_bytes": 25_300_000_000,
                    "os": "Linux 6.1.0",
                    "python": "3.11.2",
                },
                "program_version": "0.1.0",
                "kind": "comparison",
                "looks": None,
                "allowed_unfair": [],
            }
        ]
    )
    conditions = [_condition(run_id, 100 + i, stack) for i, stack in enumerate(stacks)]
    samples = [
        sample
        for condition, stack in zip(conditions, stacks, strict=True)
        for sample in _samples(condition, stack, iterations, warmup)
    ]
    condition = _condition(0, 0, LLAMA_CPP)
    sample = _sample(condition, LLAMA_CPP, 1, 1, is_warmup=False)
    return Frames(
        pd.DataFrame(samples, columns=list(sample)),
        pd.DataFrame(conditions, columns=list(condition)),
        runs,
    )


def rename(stack: FakeStack, **changes: Any) -> FakeStack:
    """`stack` with some fields changed."""
    return replace(stack, **changes)


def _condition(run_id: int, condition_id: int, stack: FakeStack) -> dict[str, Any]:
    is_calibrated, is_served = stack.samples_kept != 0, stack.reach == "served"
    return {
        "run_id": run_id,
        "condition_id": condition_id,
        "stack": stack.name,
        "title": stack.title,
        "language": stack.language,
        "reach": stack.reach,
        "version": stack.version,
        "build": dict(stack.build),
        "facts": dict(stack.facts),
        "model": stack.model,
        "model_label": stack.model_label,
        "is_synthetic": stack.is_synthetic,
        "source_sha256": "ab" * 32,
        "precision": "bf16",
        "device": "cpu",
        "threads": 2,
        "context": 512,
        "slots": 1,
        "template": "raw",
        "sampling": "greedy",
        "prompt_cache": "unique prompts: every prompt differs from its first token on",
        "client_error": dict(CLIENT_ERROR) if is_calibrated and is_served else None,
        "callback_cost_ns": 810.0 if is_calibrated and not is_served else math.nan,
        "load_seconds": stack.load_seconds,
        "loads": [] if math.isnan(stack.load_seconds) else [stack.load_seconds],
        "peak_memory_bytes": stack.peak_memory_bytes,
        "error": stack.error,
    }


def _samples(
    condition: Mapping[str, Any], stack: FakeStack, iterations: int, warmup: int
) -> list[dict[str, Any]]:
    planned = [(i, True) for i in range(1, warmup + 1)]
    planned += [(i, False) for i in range(1, iterations + 1)]
    return [
        _sample(condition, stack, iteration, iterations, is_warmup=is_warmup)
        for iteration, is_warmup in planned[: stack.samples_kept]
    ]


def _sample(
    condition: Mapping[str, Any],
    stack: FakeStack,
    iteration: int,
    iterations: int,
    *,
    is_warmup: bool,
) -> dict[str, Any]:
    error = "" if is_warmup else stack.failures.get(iteration, "")
    tokens = NEW_TOKENS if is_warmup else stack.early_stops.get(iteration, NEW_TOKENS)
    shared = ("run_id", "condition_id", "stack", "title", "language", "reach")
    requested = 1_000 * NS_PER_S + iteration * 60 * NS_PER_S
    stamps = [] if error else _stamps(stack, iteration, iterations, requested)[:tokens]
    return {
        **{name: condition[name] for name in shared},
        "iteration": iteration,
        "block": 1 if is_warmup else (iteration - 1) // 2 + 1,
        "probe_compute_ns": 1_400_000.0 + 1_000 * iteration,
        "attempt": 1,
        "probe_memory_ns": 1_300_000.0 + 2_000 * iteration,
        "probe_elapsed_ns": 20_000_000.0,
        "probe_waited_ns": 500_000.0,
        "suspended_ns": 0.0,
        "suspended_by": "",
        "wall_jump_ns": 0.0,
        "is_warmup": is_warmup,
        "prompt_text": f"prompt {iteration}",
        "requested_ns": 0 if error else requested,
        "chunk_ns": np.array(stamps, dtype=np.int64),
        "chunk_tokens": np.ones(len(stamps), dtype=np.int64),
        "ended_ns": stamps[-1] + 1_000 if stamps else 0,
        "prompt_tokens": 0 if error else PROMPT_TOKENS,
        "output_tokens": len(stamps),
        "requested_tokens": NEW_TOKENS,
        "stop": "" if error else "length" if tokens == NEW_TOKENS else "end-of-sequence",
        "text": " ".join(f"w{index}" for index in range(len(stamps))),
        "token_ids": None if error else np.arange(len(stamps), dtype=np.int64),
        "engine_timings": {} if error else {"eval_ms": 12.5},
        "resources": {} if error else {"cpu_s": 1.25, "minor_page_faults": 80.0},
        "error": error,
    }


def _stamps(stack: FakeStack, iteration: int, iterations: int, requested: int) -> list[int]:
    # Different for every stack and iteration, and no random generator whose stream may change.
    seed = math.sin(12.9898 * iteration + sum(map(ord, stack.name))) * 43_758.5453
    wobble = 2 * (seed - math.floor(seed)) - 1
    drift = stack.drift * (iteration - 1) / max(1, iterations - 1)
    end = stack.e2e_s * (1 + stack.noise * wobble + drift)
    first = end * stack.ttft_part
    gap = (end - first) / (NEW_TOKENS - 1)
    return [requested + round((first + gap * index) * NS_PER_S) for index in range(NEW_TOKENS)]

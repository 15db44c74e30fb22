"""What runs as the worker process of an embedded engine, and what it finds in its environment."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from python_runner.common.locations import source_root
from python_runner.engines.contract import LaunchSettings


def _nothing(_facts: Mapping[str, str]) -> Mapping[str, str]:
    return {}


@dataclass(frozen=True, kw_only=True)
class WorkerProgram:
    """What runs as the worker: it speaks `wire` on the two pipes named by its last words."""

    command: Sequence[str | Path]
    facts: Mapping[str, str] = field(default_factory=dict)
    """What is known of its build, and it cannot say itself."""
    infer: Callable[[Mapping[str, str]], Mapping[str, str]] = _nothing
    """What follows from these facts and those that it says of itself."""
    settings: LaunchSettings | None = None
    """What it is told to load, where its words are not the study's."""


def python_worker(_settings: LaunchSettings) -> WorkerProgram:
    """Our own, for libraries that Python can import."""
    return WorkerProgram(command=(sys.executable, "-m", f"{__package__}.process"))


def worker_environment(threads: int) -> dict[str, str]:
    """Variables that numeric libraries read once, when they are imported.

    All thread pools get the same size, and nothing may go and look for files on the net.
    """
    pools = ("OMP", "MKL", "OPENBLAS", "RAYON", "NUMEXPR")
    ours = str(source_root())
    inherited = os.environ.get("PYTHONPATH")
    return {
        **{f"{pool}_NUM_THREADS": str(threads) for pool in pools},
        "HF_HUB_OFFLINE": "1",
        "NO_COLOR": "1",
        "PYTHONPATH": os.pathsep.join([ours, inherited] if inherited else [ours]),
        # A library that dies must not take the end of the log with it.
        "PYTHONUNBUFFERED": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }

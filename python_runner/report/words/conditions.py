"""Names and values of what a run and its stacks ran under."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from python_runner.analyse.latency import NAN
from python_runner.report.facts import each_once
from python_runner.report.units import spell_bytes, spell_time
from python_runner.report.words.network import network_pairs

_HASH_DIGITS = 16
_MS_PER_S = 1000.0
_UNKNOWN = "not known"
"""Of a server that somebody else has started; numbers are 0 then."""
_COMMON = ("precision", "device", "threads", "context", "slots", "template", "sampling")


def condition_pairs(conditions: pd.DataFrame, run: Mapping[Any, Any]) -> dict[str, str]:
    """What all stacks of a run have in common, and the machine."""
    host = run["host"]
    hashes = (str(value)[:_HASH_DIGITS] for value in conditions["source_sha256"])
    return {
        "study": str(run["study"]),
        "status": str(run["status"]),
        "started": str(run["created"]),
        "program": f"polystack {run['program_version']}",
        "model": each_once(conditions["model"]),
        "weights, sha256": each_once(value or _UNKNOWN for value in hashes),
        **{name: each_once(value or _UNKNOWN for value in conditions[name]) for name in _COMMON},
        "prompt cache": each_once(conditions["prompt_cache"]),
        "processor": str(host.get("cpu") or "unknown"),
        "cores": str(host.get("cores", "unknown")),
        "memory": spell_bytes(float(host.get("memory_bytes", NAN))),
        "system": f"{host.get('os', 'unknown')}, Python {host.get('python', 'unknown')}",
    }


def stack_pairs(row: Mapping[Any, Any]) -> dict[str, str]:
    """What is known of one stack: a row of the conditions."""
    return {
        "error": str(row["error"]),
        "load": _load(row),
        "peak memory": spell_bytes(row["peak_memory_bytes"]),
        **network_pairs(row.get("network")),
        **{str(name): str(value) for name, value in row["build"].items()},
    }


def _load(row: Mapping[Any, Any]) -> str:
    """The median load, and each of them if there were several."""
    loads = [spell_time(seconds * _MS_PER_S) for seconds in row.get("loads") or ()]
    median = spell_time(row["load_seconds"] * _MS_PER_S)
    return f"{median} (median of {', '.join(loads)})" if len(loads) > 1 else median

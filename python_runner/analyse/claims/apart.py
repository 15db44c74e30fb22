"""What may be put together: runs of one machine, one device, one model, and not others."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from python_runner.store import RunKind

_HOST = (("cpu", "processor"), ("cores", "number of cores"), ("architecture", "architecture"))
_SAME = (
    ("source_sha256", "model"),
    ("precision", "precision"),
    ("device", "device"),
    ("threads", "number of threads"),
    ("context", "context"),
    ("template", "template"),
    ("sampling", "sampling"),
)


@dataclass(frozen=True, kw_only=True)
class RunFrames:
    """The frames of one run, as `store` reads them."""

    samples: pd.DataFrame
    conditions: pd.DataFrame
    run: Mapping[str, Any]
    """The row of `runs`."""
    requests: pd.DataFrame = field(default_factory=pd.DataFrame)
    """Of a load; else empty."""
    levels: pd.DataFrame = field(default_factory=pd.DataFrame)
    """Of a load; else empty."""

    @property
    def run_id(self) -> int:
        return int(self.run["run_id"])

    @property
    def is_load(self) -> bool:
        """Many requests at once, and not one after the other."""
        return str(self.run.get("kind")) == RunKind.LOAD.value

    @property
    def host(self) -> Mapping[str, Any]:
        host = self.run["host"]
        return host if isinstance(host, Mapping) else {}

    @property
    def study(self) -> Mapping[str, Any]:
        found = json.loads(str(self.run["study_json"]) or "{}")
        return found if isinstance(found, dict) else {}

    def allowed(self) -> tuple[str, ...]:
        """What was not equal and allowed to be, as a mark on every verdict."""
        keys = self.run.get("allowed_unfair")
        if not isinstance(keys, list | tuple) or not keys:
            return ()
        return (f"not equal, and allowed to be: {', '.join(str(key) for key in keys)}",)

    def facts(self) -> dict[str, str]:
        """Under what the run was made, each fact in a few words."""
        columns = ("model", "precision", "device", "threads", "context", "template", "sampling")
        found = {
            name: " / ".join(dict.fromkeys(str(value) for value in self.conditions[name]))
            for name in columns
        }
        workload = self.study.get("workload", {})
        tokens = {name: str(workload[name]) for name in workload if name.endswith("_tokens")}
        return {**found, **tokens, "processor": str(self.host.get("cpu", "unknown"))}

    def of_path(self, reach: str) -> RunFrames:
        """Only the stacks that were reached that way, `embedded` or `served`."""
        conditions = self.conditions[self.conditions["reach"] == reach]

        def kept(rows: pd.DataFrame) -> pd.DataFrame:
            if rows.empty:
                return rows
            return rows[rows["condition_id"].isin(conditions["condition_id"])]

        return RunFrames(
            samples=kept(self.samples),
            conditions=conditions,
            run=self.run,
            requests=kept(self.requests),
            levels=kept(self.levels),
        )


def differences(first: RunFrames, second: RunFrames) -> tuple[str, ...]:
    """What the second run has that the first has not, so that they must not be put together."""
    return tuple(_differences(first, second))


def _differences(first: RunFrames, second: RunFrames) -> Iterator[str]:
    for key, what in _HOST:
        if first.host.get(key) != second.host.get(key):
            yield what
    for column, what in _SAME:
        if not set(second.conditions[column]) <= set(first.conditions[column]):
            yield what
    if _workload(first) != _workload(second):
        yield "workload"


def _workload(frames: RunFrames) -> dict[str, Any]:
    """Runs from before a key was there have what is its default now."""
    found = {"stop": "length", **frames.study.get("workload", {})}
    return {name: value for name, value in found.items() if value is not None}


def not_pooled(runs: Sequence[RunFrames]) -> str:
    """A warning if the runs are of different machines, devices or models; else empty."""
    names = {what for _, what in _HOST} | {"model", "device"}
    found = dict.fromkeys(
        what
        for other in runs[1:]
        for what in differences(runs[0], other)
        if what in names and other.conditions.size and runs[0].conditions.size
    )
    if not found:
        return ""
    return (
        f"These runs differ in: {', '.join(found)}. Each is judged by itself and none is pooled "
        "with another: figures of different columns must not be put beside each other."
    )

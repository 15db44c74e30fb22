"""What is stored of a run that did not come to its end, for whoever goes on with it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from python_runner.common.clock import NS_PER_S
from python_runner.common.errors import UnfairError
from python_runner.common.process_mark import Life, ProcessMark
from python_runner.measure.plan import Done
from python_runner.store.run_kind import RunKind
from python_runner.store.store import Store

CUT = "interrupted"
"""The error of a level that Ctrl-C ended (`measure.load.drive`)."""
_RUN = """
SELECT kind, status, study_json, asked_json, host_json, machine, program_version, process_json,
    resumed_json, last_seen FROM runs WHERE run_id = ?
"""
_SAME = (
    *("version", "model", "source_sha256", "precision", "device", "threads", "context", "slots"),
    *("template", "sampling", "prompt_cache"),
)
"""Columns of a condition that must be what they were; `build_json` is looked at by its keys."""
_CONDITIONS = "SELECT * FROM conditions WHERE run_id = ? ORDER BY condition_id"
_SAMPLES = """
SELECT iteration, is_warmup, block, error, prompt_text FROM samples WHERE condition_id = ?
ORDER BY sample_id
"""
_LEVELS = """
SELECT count(*) FROM load_levels
WHERE condition_id = ? AND number > 0 AND ended_ns IS NOT NULL AND error != ?
"""
_STEPS = "SELECT stack, number, began_ns, ended_ns FROM steps WHERE run_id = ? ORDER BY step_id"


@dataclass(frozen=True, kw_only=True)
class StackSoFar:
    """What a run has of one stack."""

    condition_id: int
    row: Mapping[str, Any]
    """Its condition as it is stored."""
    done: Done
    prompts: Mapping[tuple[bool, int], str]
    """Of a comparison: (is warm-up, iteration) to the prompt that was asked."""
    failures: int
    """Requests that failed in a row at the end."""
    levels: int
    """Of a load: levels that were finished."""

    @property
    def error(self) -> str:
        """Why it had ended before its time; empty if it had not."""
        return str(self.row["error"])

    @property
    def facts(self) -> Mapping[str, str]:
        """Criterion to what held for it."""
        found: Mapping[str, str] = json.loads(self.row["facts_json"])
        return found

    def refuse_unless(self, now: Mapping[str, object]) -> None:
        """Hold a condition (columns as stored) against the one under which it was measured.

        Raises UnfairError that names the first key in which they differ.
        """
        for key in _SAME:
            _refuse_unless_same(str(self.row["stack"]), key, self.row[key], now[key])
        before, after = json.loads(self.row["build_json"]), json.loads(str(now["build_json"]))
        for key in sorted(before.keys() | after.keys()):
            stack = str(self.row["stack"])
            _refuse_unless_same(stack, f"build, {key}", before.get(key), after.get(key))


@dataclass(frozen=True, kw_only=True)
class StoredRun:
    """A run as it is stored."""

    run_id: int
    kind: RunKind
    status: str
    life: Life
    """Of the process that measured it."""
    process_json: str | None
    study_json: str
    asked: Mapping[str, Any]
    """`study` as it was given, `prompts` a hash, `outside` of a load on somebody else's server;
    empty for a run from before that was kept."""
    host: Mapping[str, Any]
    machine: str
    program_version: str
    stacks: Mapping[str, StackSoFar]
    """Those that were begun."""
    announced: Mapping[str, frozenset[int]]
    """Stack to the numbers of the steps that it was known to have."""
    late: frozenset[str]
    """Stacks that do some blocks by themselves, since the others had done theirs before."""
    resumed: tuple[Mapping[str, Any], ...]
    """One for each time that it went on."""
    spent_s: float
    """Of its steps that are over."""
    steps_s: Mapping[str, float]
    """Stack to what its latest step took that is over."""

    @property
    def ended(self) -> dict[str, str]:
        """Stacks that had ended before their time, with the reason."""
        return {name: each.error for name, each in self.stacks.items() if each.error}


def read_stored_run(store: Store, run_id: int) -> StoredRun:
    """What is stored of a run."""
    row = _rows(store, _RUN, run_id)[0]
    stacks = {each["stack"]: _stack(store, each) for each in _rows(store, _CONDITIONS, run_id)}
    steps = _rows(store, _STEPS, run_id)
    announced: dict[str, frozenset[int]] = {}
    for step in steps:
        announced[step["stack"]] = announced.get(step["stack"], frozenset()) | {step["number"]}
    over = [
        (step["stack"], (step["ended_ns"] - step["began_ns"]) / NS_PER_S)
        for step in steps
        if step["ended_ns"] is not None and step["began_ns"] is not None
    ]
    resumed = tuple(json.loads(row["resumed_json"]))
    mark = row["process_json"]
    return StoredRun(
        run_id=run_id,
        kind=RunKind(row["kind"]),
        status=row["status"],
        life=Life.UNKNOWN if mark is None else ProcessMark.from_json(mark).life(),
        process_json=mark,
        study_json=row["study_json"],
        asked=json.loads(row["asked_json"] or "{}"),
        host=json.loads(row["host_json"]),
        machine=row["machine"],
        program_version=row["program_version"],
        stacks=stacks,
        announced=announced,
        late=_late(announced).union(*(each.get("late", ()) for each in resumed)),
        resumed=resumed,
        spent_s=sum(seconds for _, seconds in over),
        steps_s=dict(over),
    )


def _stack(store: Store, row: Mapping[str, Any]) -> StackSoFar:
    condition = row["condition_id"]
    samples = _rows(store, _SAMPLES, condition)
    kept: dict[int, int] = {}
    for sample in samples:
        kept[sample["block"]] = kept.get(sample["block"], 0) + 1
    warm_ups = [each["iteration"] for each in samples if each["is_warmup"]]
    failed = takewhile(lambda sample: sample["error"], reversed(samples))
    (levels,) = store.connection.execute(_LEVELS, (condition, CUT)).fetchone()
    return StackSoFar(
        condition_id=condition,
        row=row,
        done=Done(
            timed={each["iteration"]: each["block"] for each in samples if not each["is_warmup"]},
            warm_ups=max(warm_ups, default=0),
            kept=kept,
            is_begun=bool(row["version"]),
        ),
        prompts={(bool(s["is_warmup"]), s["iteration"]): s["prompt_text"] for s in samples},
        failures=len(list(failed)),
        levels=levels,
    )


def _late(announced: Mapping[str, frozenset[int]]) -> frozenset[str]:
    """Stacks that were not to take part in the first block."""
    return frozenset(name for name, numbers in announced.items() if 1 not in numbers)


def _rows(store: Store, query: str, *values: object) -> list[dict[str, Any]]:
    cursor = store.connection.execute(query, values)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def _refuse_unless_same(stack: str, key: str, before: object, now: object) -> None:
    if before != now:
        raise UnfairError(
            f"{stack}: {key} was {_words(before)} when the run began, and is {_words(now)} now",
            hint="What was measured under different conditions is never put together. "
            "Begin a new run.",
        )


def _words(value: object) -> str:
    return "not there" if value is None else repr(value)

"""A run in the making, whatever is measured in it: its row, its conditions, and its end."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from types import TracebackType
from typing import TYPE_CHECKING, Self

from python_runner import __version__
from python_runner.common.clock import now_ns, utc_date
from python_runner.common.errors import StoreError
from python_runner.common.machine_mark import machine_mark
from python_runner.common.process_mark import ProcessMark
from python_runner.engines.outside import NetworkReading
from python_runner.measure.client_error import ClientError
from python_runner.measure.fairness import Facts
from python_runner.measure.sample import Condition
from python_runner.store.run_kind import RunKind
from python_runner.store.steps import SEEN, StepRecorder
from python_runner.store.store import Store
from python_runner.study import Study

if TYPE_CHECKING:
    from python_runner.store.going_on import GoingOn


class OpenRun:
    """One run in the making. In a `with` statement, so that its end is recorded too."""

    def __init__(
        self,
        store: Store,
        study: Study,
        host: Mapping[str, object],
        kind: RunKind,
        *,
        command: str = "",
        going_on: GoingOn | None = None,
    ) -> None:
        """Store a new run, or with `going_on` take over that one: all else is then as it has it."""
        self._store = store
        self._condition_id: int | None = None
        self._stack: str | None = None
        self._conditions: dict[str, int] = {}
        """Stack to its condition, of those that were begun."""
        self._facts: Mapping[str, Facts] = {}
        self._earlier = {} if going_on is None else dict(going_on.stored.stacks)
        """Stacks that were begun before this process took the run over."""
        if going_on is None:
            self.run_id = self._insert("runs", _new_run(study, host, kind, command))
        else:
            going_on.take(store)
            self.run_id = going_on.stored.run_id
            self._conditions = {name: s.condition_id for name, s in self._earlier.items()}
        self.steps = StepRecorder(store, self.run_id)

    @property
    def store(self) -> Store:
        """Where it is kept."""
        return self._store

    def keep_asked(self, **asked: object) -> None:
        """What else was asked for, which the study does not say; for whoever goes on with it."""
        with self._store.transaction() as connection:
            connection.execute(
                "UPDATE runs SET asked_json = json_patch(asked_json, ?) WHERE run_id = ?",
                (json.dumps(asked), self.run_id),
            )

    def keep_facts(self, facts: Mapping[str, Facts], unfair: Sequence[str]) -> None:
        """Before stacks begin: what is known of each by name, and in what they differ.

        Args:
            facts: stack name to its facts; may be called again when there are more.
            unfair: keys of the criteria in which they differ and were allowed to.
        """
        self._facts = facts
        with self._store.transaction() as connection:
            connection.execute(
                "UPDATE runs SET allowed_unfair_json = ? WHERE run_id = ?",
                (json.dumps(list(unfair)), self.run_id),
            )

    def begin(self, condition: Condition) -> None:
        """A stack is ready (or failed to start) under `condition`.

        A stack that is visited again keeps its row, and adds what its load took this time.

        Raises:
            UnfairError: the run goes on, and the stack is not what it was when it began.
        """
        name = self._stack = condition.engine.name
        if name in self._conditions:
            self._condition_id = self._conditions[name]
            if condition.version and name in self._earlier:
                self._compare_with_earlier(condition)
            self._add_load(condition.load_seconds)
            return
        self._condition_id = self._insert("conditions", self._columns_of(condition))
        self._conditions[name] = self._condition_id

    def _compare_with_earlier(self, condition: Condition) -> None:
        """The first visit since the run was taken over; a stack that never ran gets its row now."""
        values = self._columns_of(condition)
        earlier = self._earlier.pop(condition.engine.name)
        if earlier.done.is_begun:
            earlier.refuse_unless(values)
            return
        values |= {"load_seconds": None, "loads_json": "[]"}  # added as that of any visit
        columns = ", ".join(f"{name} = ?" for name in values)
        with self._store.transaction() as connection:
            connection.execute(
                f"UPDATE conditions SET {columns} WHERE condition_id = ?",  # noqa: S608 - ours
                (*values.values(), self._condition_id),
            )

    def _columns_of(self, condition: Condition) -> dict[str, object]:
        spec, settings = condition.engine, condition.settings
        return {
            "run_id": self.run_id,
            "stack": spec.name,
            "title": spec.title,
            "language": spec.language.value,
            "reach": spec.reach.value,
            "version": condition.version,
            "build_json": json.dumps(dict(condition.build), sort_keys=True),
            "model": settings.model.name,
            "model_label": settings.model.label,
            "is_synthetic": int(settings.model.is_synthetic),
            "source_sha256": settings.model.source_sha256,
            "precision": settings.precision,
            "device": settings.device,
            "threads": settings.threads,
            "context": settings.context,
            "slots": settings.slots,
            "template": condition.template,
            "sampling": condition.sampling,
            "prompt_cache": condition.prompt_cache,
            "load_seconds": condition.load_seconds,
            "loads_json": json.dumps(_known(condition.load_seconds)),
            "client_error_json": error_json(condition.client_error),
            "callback_cost_ns": condition.callback_cost_ns,
            "facts_json": json.dumps(dict(self._facts.get(spec.name, {}))),
        }

    def keep_network(self, readings: Sequence[NetworkReading]) -> None:
        """The way to the current stack was looked at: the readings are added to its row."""
        with self._store.transaction() as connection:
            connection.executemany(
                "UPDATE conditions SET network_json = json_insert(network_json, '$[#]', json(?))"
                " WHERE condition_id = ?",
                [(json.dumps(each.as_row()), self._condition_id) for each in readings],
            )

    def finish(self, *, peak_memory_bytes: int | None, error: str) -> None:
        """The visit is over; `error` says why, if the stack ended before its time.

        The peak of a stack is that of all visits to it.
        """
        with self._store.transaction() as connection:
            connection.execute(
                "UPDATE conditions SET error = ?, peak_memory_bytes ="
                " nullif(max(coalesce(peak_memory_bytes, 0), coalesce(?, 0)), 0)"
                " WHERE condition_id = ?",
                (error, peak_memory_bytes, self._condition_id),
            )
        self._condition_id = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self._set_status("complete")
            return
        # What went wrong first is told, even if a full disk takes this neither.
        with suppress(StoreError):
            self._set_status("interrupted")

    def _set_status(self, status: str) -> None:
        with self._store.transaction() as connection:
            connection.execute("UPDATE runs SET status = ? WHERE run_id = ?", (status, self.run_id))
            connection.execute(SEEN, (utc_date(), self.run_id))

    def _add_load(self, seconds: float | None) -> None:
        with self._store.transaction() as connection:
            connection.executemany(
                "UPDATE conditions SET loads_json = json_insert(loads_json, '$[#]', ?),"
                " load_seconds = coalesce(load_seconds, ?) WHERE condition_id = ?",
                [(each, each, self._condition_id) for each in _known(seconds)],
            )

    def _insert(self, table: str, values: Mapping[str, object]) -> int:
        with self._store.transaction() as connection:
            cursor = connection.execute(insertion(table, values), tuple(values.values()))
        assert cursor.lastrowid is not None
        return cursor.lastrowid


def _new_run(
    study: Study, host: Mapping[str, object], kind: RunKind, command: str
) -> dict[str, object]:
    return {
        "study": study.name,
        "kind": kind.value,
        "created": utc_date(),
        "status": "running",
        "study_json": study.model_dump_json(),
        "asked_json": json.dumps({"study": study.model_dump(mode="json", exclude_unset=True)}),
        "host_json": json.dumps(host),
        "machine": machine_mark(),
        "program_version": __version__,
        "command": command,
        "process_json": ProcessMark.of_this_process().to_json(),
        "began_ns": now_ns(),
    }


def insertion(table: str, columns: Mapping[str, object]) -> str:
    """The statement that inserts a row with these columns."""
    marks = ", ".join("?" for _ in columns)
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608 - names are ours


def _known(seconds: float | None) -> list[float]:
    return [] if seconds is None else [seconds]


def error_json(error: ClientError | None) -> str | None:
    """The client's own error as it is kept; None where it was not measured."""
    return None if error is None else json.dumps(asdict(error))

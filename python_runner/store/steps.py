"""Keeps what a run still has to do and what it is at, for whoever follows it.

A step is what comes in one piece: a visit to a stack in a block, or a level of a load. Written
between requests only.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from python_runner.common.clock import now_ns, utc_date
from python_runner.store.store import Store


@dataclass(frozen=True, kw_only=True)
class Step:
    """One piece of a run that is still to come."""

    stack: str
    title: str
    number: int
    """Of the block, or of the level, from 1; a stack has one step of each number."""
    requests: int | None
    """All of it; None: time ends it."""
    timed: int | None
    """Those of them that are no warm-up."""
    expected_s: float | None = None
    """What it will take at least, if that is known before anything was measured."""


_INSERT = """
INSERT INTO steps (run_id, stack, title, number, requests, timed, expected_s)
VALUES (:run_id, :stack, :title, :number, :requests, :timed, :expected_s)
ON CONFLICT (run_id, stack, number) DO NOTHING
"""
_MINE = "WHERE run_id = ? AND stack = ? AND number = ?"
_BEGIN = f"UPDATE steps SET began_ns = ? {_MINE}"  # noqa: S608 - constants only
_END = f"UPDATE steps SET ended_ns = ? {_MINE}"  # noqa: S608 - constants only


SEEN = "UPDATE runs SET last_seen = ? WHERE run_id = ?"
"""A run that is killed cannot say when: this is what is known of it then."""


class StepRecorder:
    """The steps of one run in the making."""

    def __init__(self, store: Store, run_id: int) -> None:
        self._store = store
        self._run_id = run_id

    def expect(self, steps: Iterable[Step]) -> None:
        """These come next, in this order; one that was expected before keeps its place."""
        rows = [{"run_id": self._run_id, **asdict(step)} for step in steps]
        with self._store.transaction() as connection:
            connection.executemany(_INSERT, rows)

    def begin(self, stack: str, number: int) -> None:
        """A step that was expected begins."""
        with self._store.transaction() as connection:
            connection.execute(_BEGIN, (now_ns(), self._run_id, stack, number))
            connection.execute(SEEN, (utc_date(), self._run_id))

    def end(self, stack: str, number: int) -> None:
        """It is over, and so is what was to come of it."""
        with self._store.transaction() as connection:
            connection.execute(_END, (now_ns(), self._run_id, stack, number))
            connection.execute(SEEN, (utc_date(), self._run_id))

    def go_on(self, stack: str, number: int) -> None:
        """A step is over, and the same stack's next begins, if there is one."""
        now = now_ns()
        with self._store.transaction() as connection:
            connection.execute(_END, (now, self._run_id, stack, number))
            connection.execute(_BEGIN, (now, self._run_id, stack, number + 1))
            connection.execute(SEEN, (utc_date(), self._run_id))

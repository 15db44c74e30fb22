"""An interrupted run is taken over by this process; what it has is left as it is.

`runs.resumed_json` lists each time: `at` (UTC), `last_seen` (UTC; when it is last known to have
gone on; null: not known), `was` (its status then: `running` means that it was killed),
`after_sample` and `after_level` (the last that was kept before), `shift_ns` (what is to be added
to stamps from here on, so that they follow those from before where the machine's clock began
anew), `line_ns` (`at`, as such a stamp), `cut` (blocks on both sides of the pause, or levels that
were made again), `late` (stacks with blocks of their own) and `again` (stacks that were tried
again, with the reason why they had ended).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from python_runner.common.clock import NS_PER_S, now_ns, utc_date
from python_runner.common.errors import UsageError
from python_runner.common.process_mark import ProcessMark
from python_runner.store.interrupted import CUT, StoredRun
from python_runner.store.store import Store

_TAKE = """
UPDATE runs SET status = 'running', process_json = ?, began_ns = ?, last_seen = ?,
    resumed_json = json_insert(resumed_json, '$[#]', json(?))
WHERE run_id = ? AND process_json IS ? AND json_array_length(resumed_json) = ?
"""
_LAST = """
SELECT created, began_ns, last_seen,
    (SELECT max(sample_id) FROM samples JOIN conditions USING (condition_id)
     WHERE conditions.run_id = runs.run_id),
    (SELECT max(level_id) FROM load_levels JOIN conditions USING (condition_id)
     WHERE conditions.run_id = runs.run_id)
FROM runs WHERE run_id = ?
"""
_OF_STEP = """
FROM samples s JOIN conditions c USING (condition_id)
WHERE c.run_id = steps.run_id AND c.stack = steps.stack AND s.block = steps.number
"""
_END_OF_VISIT = f"""
UPDATE steps SET ended_ns = began_ns + (SELECT sum(s.ended_ns - s.requested_ns) {_OF_STEP})
WHERE run_id = ? AND ended_ns IS NULL AND began_ns IS NOT NULL AND requests IS NOT NULL
    AND requests = (SELECT count(*) {_OF_STEP})
"""  # noqa: S608 - constants only
"""Killed between the last request of a visit and the mark of its end."""
_LEVEL_OF_STEP = """
FROM load_levels l JOIN conditions c USING (condition_id)
WHERE c.run_id = steps.run_id AND c.stack = steps.stack AND l.number = steps.number
    AND l.ended_ns IS NOT NULL AND l.error = ''
"""
_END_OF_LEVEL = f"""
UPDATE steps SET began_ns = coalesce(began_ns, 0), ended_ns = coalesce(began_ns, 0)
    + (SELECT l.ended_ns - l.started_ns {_LEVEL_OF_STEP})
WHERE run_id = ? AND ended_ns IS NULL AND EXISTS (SELECT 1 {_LEVEL_OF_STEP})
"""  # noqa: S608 - constants only
_FORGET = "DELETE FROM steps WHERE run_id = ? AND ended_ns IS NULL"
"""They are announced again, as far as they are left."""
_CUT_LEVELS = """
SELECT l.level_id, l.number FROM load_levels l JOIN conditions c USING (condition_id)
WHERE c.run_id = ? AND c.error = '' AND l.number > 0
    AND (l.ended_ns IS NULL OR l.error = ?) ORDER BY l.level_id
"""
_SET_ASIDE = """
UPDATE load_levels SET error = ?, number = -(
    SELECT count(*) + 1 FROM load_levels o
    WHERE o.condition_id = load_levels.condition_id AND o.number < 0
) WHERE level_id = ?
"""
"""Numbers below zero: kept, and in no figure."""


@dataclass(frozen=True, kw_only=True)
class GoingOn:
    """How a run goes on."""

    stored: StoredRun
    again: Mapping[str, str] = field(default_factory=dict)
    """Stacks that are tried again, with the reason why they had ended."""
    cut: tuple[int, ...] = ()
    """Of a comparison: numbers of the blocks that lie on both sides of the pause."""

    def take(self, store: Store) -> None:
        """Make the run this process's own.

        Raises UsageError if another process was quicker.
        """
        stored = self.stored
        with store.transaction() as connection:
            entry = self._entry(connection)
            began = now_ns() - round(stored.spent_s * NS_PER_S)
            mark = ProcessMark.of_this_process().to_json()
            cursor = connection.execute(
                _TAKE,
                (
                    *(mark, began, utc_date(), json.dumps(entry)),
                    *(stored.run_id, stored.process_json, len(stored.resumed)),
                ),
            )
            if not cursor.rowcount:
                raise UsageError(
                    f"run {stored.run_id} was taken up by another process just now",
                    hint=f"polystack watch {stored.run_id}",
                )
            for query in (_END_OF_VISIT, _END_OF_LEVEL, _FORGET):
                connection.execute(query, (stored.run_id,))
            for name in self.again:
                row = (stored.stacks[name].condition_id,)
                connection.execute("UPDATE conditions SET error = '' WHERE condition_id = ?", row)

    def _entry(self, connection: sqlite3.Connection) -> dict[str, object]:
        stored = self.stored
        created, began_ns, last_seen, sample, level = connection.execute(
            _LAST, (stored.run_id,)
        ).fetchone()
        levels = _set_aside(connection, stored.run_id)
        shift_ns = self._shift_ns(created, began_ns)
        return {
            "at": utc_date(),
            "last_seen": last_seen,
            "was": stored.status,
            "after_sample": sample or 0,
            "after_level": level or 0,
            "shift_ns": shift_ns,
            "line_ns": now_ns() + shift_ns,
            "cut": list(self.cut or levels),
            "late": sorted(stored.late | self.again.keys()),
            "again": dict(self.again),
        }

    def _shift_ns(self, created: str, began_ns: int | None) -> int:
        """What this process's stamps lack to follow those of the first.

        CLOCK_MONOTONIC goes on within one start of the machine. After another one only the
        calendar tells how much later it is, to the second, which is enough for what is drawn
        over a whole run.
        """
        first: dict[str, Any] = {"at": created, "line_ns": began_ns or 0, "shift_ns": 0}
        last = self.stored.resumed[-1] if self.stored.resumed else first
        mark = self.stored.process_json
        if mark is None or ProcessMark.from_json(mark).boot == ProcessMark.of_this_process().boot:
            return int(last["shift_ns"])
        gone = datetime.fromisoformat(utc_date()) - datetime.fromisoformat(str(last["at"]))
        gone_ns = round(max(0.0, gone.total_seconds()) * NS_PER_S)
        return int(last["line_ns"]) + gone_ns - now_ns()


def _set_aside(connection: sqlite3.Connection, run_id: int) -> list[int]:
    """Levels that were cut keep their requests and make room; returns their numbers.

    What is even in a level is its steady part, which cannot be put together of two.
    """
    cut = connection.execute(_CUT_LEVELS, (run_id, CUT)).fetchall()
    for level_id, number in cut:
        reason = f"cut by an interruption; made again as level {number}, and left out of figures"
        connection.execute(_SET_ASIDE, (reason, level_id))
    return [number for _, number in cut]

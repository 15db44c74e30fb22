"""Keeps what a reference found in the answers of a run, and reads it back.

Implements `measure.answers.answer.AnswerRecorder`. What is kept is raw, per token; whether an
answer is right is computed from it each time (`analyse.answers`), so that a limit that moves
moves for old runs, too. A run can be checked again; the last check counts.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from python_runner.common.clock import utc_date
from python_runner.engines.contract import EngineDescription, EngineSpec
from python_runner.measure.answers.answer import (
    PassageScore,
    ScoredAnswer,
    UnreadAnswer,
    Verdictable,
)
from python_runner.store.arrays import INT64, pack, unpack
from python_runner.store.damage import is_sound
from python_runner.store.open_run import insertion
from python_runner.store.store import Store

FLOAT64 = "<f8"
_ARRAYS = {
    "token_ids": INT64,
    "greedy_ids": INT64,
    "best_ids": INT64,
    "logprobs": FLOAT64,
    "best_logprobs": FLOAT64,
    "second_logprobs": FLOAT64,
}
_LAST = f"""
WHERE check_id IN (
    SELECT max(check_id) FROM answer_checks
    WHERE is_finished = 1 AND run_id IN (SELECT value FROM json_each(?))
        AND {is_sound("answer_checks", "check_id")} GROUP BY run_id)
"""  # noqa: S608 - constants only
_CHECKS = f"SELECT * FROM answer_checks {_LAST} ORDER BY run_id"  # noqa: S608 - constants only
_STACKS = f"""
SELECT k.run_id, s.* FROM answer_stacks s JOIN answer_checks k USING (check_id)
{_LAST} AND {is_sound("answer_stacks", "s.rowid")} ORDER BY s.condition_id
"""  # noqa: S608 - constants only
_ANSWERS = f"""
SELECT k.run_id, p.condition_id, p.iteration, a.*
FROM answers a JOIN answer_checks k USING (check_id) JOIN samples p USING (sample_id)
{_LAST} AND {is_sound("answers", "a.rowid")} AND {is_sound("samples", "a.sample_id")}
ORDER BY a.sample_id
"""  # noqa: S608 - constants only


class AnswerCheckRecorder:
    """A check of one run in the making."""

    def __init__(self, store: Store, run_id: int, reference: EngineSpec) -> None:
        self._store = store
        self._id = self._insert(
            "answer_checks",
            {
                "run_id": run_id,
                "created": utc_date(),
                "reference": reference.name,
                "reference_title": reference.title,
                "reference_version": "",
                "build_json": "{}",
            },
        )

    def reference(self, description: EngineDescription) -> None:
        """The reference runs, and says what it is."""
        self._update(
            "reference_version = ?, build_json = ?",
            (description.version, json.dumps(dict(description.build), sort_keys=True)),
        )

    def stack(self, condition_id: int | None, bits: int | None) -> None:
        """This stack's answers are looked at; its weights have so many bits."""
        self._insert(
            "answer_stacks",
            {"check_id": self._id, "condition_id": condition_id, "bits": bits},
        )

    def answer(self, found: Verdictable) -> None:
        self._insert(
            "answers",
            {
                "check_id": self._id,
                "sample_id": found.sample_id,
                **(_unread(found) if isinstance(found, UnreadAnswer) else _scored(found)),
            },
        )

    def passage(self, condition_id: int | None, score: PassageScore) -> None:
        with self._store.transaction() as connection:
            connection.execute(
                "UPDATE answer_stacks SET logprobs = ?, error = ?"
                " WHERE check_id = ? AND condition_id IS ?",
                (pack(score.logprobs, FLOAT64), score.error, self._id, condition_id),
            )

    def finish(self, error: str) -> None:
        self._update("is_finished = 1, error = ?", (error,))

    def _update(self, what: str, values: Sequence[object]) -> None:
        with self._store.transaction() as connection:
            connection.execute(
                f"UPDATE answer_checks SET {what} WHERE check_id = ?",  # noqa: S608 - ours
                (*values, self._id),
            )

    def _insert(self, table: str, values: Mapping[str, object]) -> int:
        with self._store.transaction() as connection:
            cursor = connection.execute(insertion(table, values), tuple(values.values()))
        assert cursor.lastrowid is not None
        return cursor.lastrowid


@dataclass(frozen=True, kw_only=True)
class AnswerFrames:
    """The last check of each run, as three tables; all are empty where none was made.

    Attributes:
        checks: one row for each run: run_id, reference_title, reference_version, `build` (a
            dictionary), created, is_finished, error.
        stacks: one row for each stack and the reference (`condition_id` is None): `bits` of its
            weights (NaN if not known), `logprobs` of the fixed text (empty: not scored), error.
        answers: one row for each answer: condition_id, sample_id, iteration, tokens_from, error,
            and arrays: token_ids, greedy_ids, best_ids, logprobs, best_logprobs,
            second_logprobs.
    """

    checks: pd.DataFrame
    stacks: pd.DataFrame
    answers: pd.DataFrame


def no_answers() -> AnswerFrames:
    """As of runs whose answers nobody has looked at."""
    checks = ("run_id", "reference_title", "reference_version", "build", "error")
    stacks = ("run_id", "condition_id", "bits", "logprobs", "error")
    answers = ("run_id", "condition_id", "sample_id", "iteration", "tokens_from", "error")
    return AnswerFrames(
        checks=pd.DataFrame(columns=list(checks)),
        stacks=pd.DataFrame(columns=list(stacks)),
        answers=pd.DataFrame(columns=[*answers, *_ARRAYS]),
    )


def read_answers(store: Store, wanted: str) -> AnswerFrames:
    """The last finished checks of the runs whose ids are in the JSON array `wanted`.

    `find_damage` comes before, in the same transaction.
    """
    checks = _query(store, _CHECKS, wanted)
    stacks = _query(store, _STACKS, wanted)
    answers = _query(store, _ANSWERS, wanted)
    return AnswerFrames(
        checks=checks.assign(
            build=pd.Series([json.loads(text) for text in checks["build_json"]], dtype=object),
            is_finished=checks["is_finished"].astype(bool),
        ).drop(columns="build_json"),
        stacks=stacks.assign(
            bits=stacks["bits"].astype(float),
            condition_id=stacks["condition_id"].astype("Int64"),
            logprobs=_arrays(stacks, "logprobs", FLOAT64),
        ),
        answers=answers.assign(
            **{name: _arrays(answers, name, kind) for name, kind in _ARRAYS.items()}
        ),
    )


def last_check(store: Store, run_id: int) -> sqlite3.Row | None:
    """Whether a run has been looked at: its last check's id and error, or None."""
    found: sqlite3.Row | None = store.connection.execute(
        "SELECT check_id, error FROM answer_checks WHERE run_id = ? AND is_finished = 1"
        " ORDER BY check_id DESC LIMIT 1",
        (run_id,),
    ).fetchone()
    return found


def _query(store: Store, query: str, wanted: str) -> pd.DataFrame:
    cursor = store.connection.execute(query, (wanted,))
    columns = [column[0] for column in cursor.description]
    return pd.DataFrame(cursor.fetchall(), columns=columns, dtype=object).infer_objects()


def _arrays(raw: pd.DataFrame, name: str, kind: str) -> pd.Series:
    return pd.Series([unpack(blob, kind) for blob in raw[name]], index=raw.index, dtype=object)


def _scored(found: ScoredAnswer) -> dict[str, object]:
    scores = found.scores
    return {
        "tokens_from": found.tokens_from.value,
        "token_ids": pack(found.token_ids),
        "greedy_ids": pack(found.greedy_ids),
        "best_ids": pack([row[0] for row in scores.top_ids]),
        "logprobs": pack(scores.logprobs, FLOAT64),
        "best_logprobs": pack([row[0] for row in scores.top_logprobs], FLOAT64),
        "second_logprobs": pack([row[1] for row in scores.top_logprobs], FLOAT64),
        "error": "",
    }


def _unread(found: UnreadAnswer) -> dict[str, object]:
    return {"tokens_from": "", **dict.fromkeys(_ARRAYS, b""), "error": found.reason}

"""Stored runs as pandas frames: what `analyse` works on."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from python_runner.store.answers import AnswerFrames, no_answers, read_answers
from python_runner.store.arrays import INT64, unpack
from python_runner.store.connection import damaged
from python_runner.store.damage import RUNS, Damage, find_damage, is_sound
from python_runner.store.failed_attempts import failed_attempts
from python_runner.store.load_recorder import CHUNK_KINDS
from python_runner.store.recoveries import no_recoveries, read_recoveries
from python_runner.store.store import Store
from python_runner.store.sums import tables_of


def _shift(what: str) -> str:
    """The column `clock_shift_ns`: that of the last time that the run had gone on by then."""
    return f"""coalesce((
    SELECT json_extract(e.value, '$.shift_ns') FROM json_each(r.resumed_json) e
    WHERE json_extract(e.value, '$.after_{what}') < {what}_id ORDER BY e.key DESC LIMIT 1
), 0) AS clock_shift_ns"""  # noqa: S608 - constants only


_WANTED = "IN (SELECT value FROM json_each(?))"
_STACK = "c.run_id, c.stack, c.title, c.language, c.reach"
MAY_END = """
(json_valid(r.study_json)
    AND json_extract(r.study_json, '$.workload.stop') IS 'end-of-sequence') AS may_end
"""
"""Whether the model was allowed to end its answer: the study says it, for all requests of a run."""
_OF_RUNS = f"c.run_id {_WANTED} AND {is_sound('runs', 'c.run_id')}"
_OF_STACKS = f"{_OF_RUNS} AND {is_sound('conditions', 'c.condition_id')}"
_OF_LEVELS = f"{_OF_STACKS} AND {is_sound('load_levels', 'l.level_id')}"
_SAMPLES = f"""
SELECT {_STACK}, s.*, {MAY_END}, {_shift("sample")}
FROM samples s JOIN conditions c USING (condition_id) JOIN runs r USING (run_id)
WHERE {_OF_STACKS} AND {is_sound("samples", "s.sample_id")} ORDER BY s.sample_id
"""  # noqa: S608 - constants only
_CONDITIONS = f"SELECT * FROM conditions c WHERE {_OF_STACKS} ORDER BY condition_id"  # noqa: S608
_RUNS = f"SELECT * FROM runs c WHERE {_OF_RUNS} ORDER BY run_id"  # noqa: S608
_LEVELS = f"""
SELECT {_STACK}, l.*, {_shift("level")}
FROM load_levels l JOIN conditions c USING (condition_id) JOIN runs r USING (run_id)
WHERE {_OF_LEVELS} AND l.number > 0 ORDER BY l.level_id
"""  # noqa: S608 - constants only
_REQUESTS = f"""
FROM load_requests r JOIN load_levels l USING (level_id) JOIN conditions c USING (condition_id)
WHERE {_OF_LEVELS} AND l.number > 0 AND {is_sound("load_requests", "r.request_id")}
ORDER BY r.level_id, r.number
"""
_ALL = f"SELECT {_STACK}, c.condition_id, r.* {_REQUESTS}"
_OUTCOMES = f"SELECT {_STACK}, c.condition_id, r.level_id, r.number, r.error_kind {_REQUESTS}"
_HEADS = ("runs", "conditions")
_FOR_OTHERS = ["process_json", "began_ns", "asked_json", "machine", "last_seen"]
"""Of use only while a run goes on (`store.follow`), or when it is to (`store.interrupted`)."""
_PERHAPS = (
    *("probe_compute_ns", "probe_memory_ns", "probe_elapsed_ns", "probe_waited_ns"),
    *("suspended_ns", "wall_jump_ns"),
)
"""Numbers of samples that may not be known."""
_SAMPLE_ARRAYS = {"chunk_ns": INT64, "chunk_tokens": INT64, "token_ids": INT64}


@dataclass(frozen=True, kw_only=True)
class Frames:
    """Tables that belong together. Samples or levels are empty, by the kind of the runs.

    Attributes:
        samples: one row for each request of a comparison; `chunk_ns`, `chunk_tokens` and
            `token_ids` hold arrays, `engine_timings` and `resources` a dictionary; `may_end`:
            the model was allowed to end the answer before `requested_tokens`; `block` counts
            the visits of a run from 1; `probe_…_ns`, `suspended_ns` and `wall_jump_ns` are NaN
            where nobody looked, `suspended_by` is empty where nothing was suspended;
            `clock_shift_ns` is what its stamps lack to follow those from before the machine was
            started anew, 0 in a run that was measured in one piece.
        conditions: one row for each stack of a run; `build` holds a dictionary,
            `client_error` the fields of a `ClientError`, or None; `facts` holds criterion to
            fact (`measure.fairness`), empty where nothing was looked at; `loads` lists the
            seconds that each load took, `load_seconds` is their median; `network` lists the
            readings of the way to it (fields of a `NetworkReading`), none on this machine;
            `failed_attempts` lists those that were made again (fields of a `FailedAttempt`).
        runs: one row for each run; `kind` is a `RunKind`'s value, `host` holds a dictionary;
            `command` is what was typed, empty if that was not kept;
            `allowed_unfair` the keys of criteria in which stacks differ and were allowed to;
            `looks` is None, or, where a run went on until its intervals were narrow, a
            dictionary: `at` lists the iterations of each stack at every look, `limit` is
            the most that would have been made; `resumed` lists the times that it went on after
            an interruption (`store.going_on`); `damaged` counts the rows of the run, in
            whatever table, that were left out because they are not what was written.
        load_levels: one row for each level of each stack of a load, with the fields of a
            `Level` and of a `LevelEnd` (NaN while it runs); `client_error` and
            `clock_shift_ns` as above; `held_back` a dictionary (`measure.held_back`). Without
            those that an interruption cut: they were made again.
        load_requests: one row for each request of a load, with the fields of
            `FinishedRequests`; `chunk_ns`, `chunk_tokens`, `chunk_reads` and
            `chunk_is_reasoning` hold arrays of one length, `engine_timings` a dictionary.
        answers: what a reference found in the answers of comparisons.
        recoveries: one row for each time that a stack was killed and started again
            (`store.recoveries`); all that are stored, whatever runs are asked for.
        damage: what is not as it was written, and was left out of all of these.
    """

    samples: pd.DataFrame
    conditions: pd.DataFrame
    runs: pd.DataFrame
    load_levels: pd.DataFrame
    load_requests: pd.DataFrame
    answers: AnswerFrames = field(default_factory=no_answers)
    recoveries: pd.DataFrame = field(default_factory=no_recoveries)
    damage: Damage = field(default_factory=Damage)


def read_frames(
    store: Store, run_ids: Sequence[int] | None = None, *, only_outcomes: bool = False
) -> Frames:
    """Read the given runs (all, if None), in the order in which they were measured.

    With `only_outcomes`, `load_requests` has a request's place and its `error_kind`, and not
    its stamps: enough for a list of runs, where the stamps of all would be many.
    """
    # Requests are by far the most, and of those the list shows counts.
    unread = ("load_requests",) if only_outcomes else ()
    with store.one_moment() as connection:
        damage = find_damage(connection, run_ids, unread=unread)
        if run_ids is not None:
            _refuse_damaged_runs(store, damage, run_ids)
        wanted = json.dumps(list(store.run_ids() if run_ids is None else run_ids))
        return Frames(
            samples=_decode_samples(_query(store, _SAMPLES, wanted)),
            conditions=_conditions(store, wanted),
            runs=_decode_runs(_query(store, _RUNS, wanted), damage),
            load_levels=_decode_levels(_query(store, _LEVELS, wanted)),
            load_requests=_query(store, _OUTCOMES, wanted)
            if only_outcomes
            else _decode_requests(_query(store, _ALL, wanted)),
            answers=read_answers(store, wanted),
            recoveries=read_recoveries(store),
            damage=damage,
        )


def read_conditions(store: Store, run_id: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Conditions and run alone, as in `Frames`: without samples, which may be many."""
    wanted = json.dumps([run_id])
    with store.one_moment() as connection:
        unread = [table.name for table in tables_of(connection) if table.name not in _HEADS]
        damage = find_damage(connection, [run_id], unread=unread)
        _refuse_damaged_runs(store, damage, [run_id])
        return (
            _conditions(store, wanted),
            _decode_runs(_query(store, _RUNS, wanted), damage),
        )


def _refuse_damaged_runs(store: Store, damage: Damage, run_ids: Sequence[int]) -> None:
    for run_id in run_ids:
        if run_id in damage.rows.get(RUNS, ()):
            raise damaged(store.path, f"what it says of run {run_id} is not what was written")


def _query(store: Store, query: str, wanted: str) -> pd.DataFrame:
    cursor = store.connection.execute(query, (wanted,))
    columns = [column[0] for column in cursor.description]
    # object: counts stay whole numbers even where a column has empty places.
    return pd.DataFrame(cursor.fetchall(), columns=columns, dtype=object).infer_objects()


def _decode_samples(raw: pd.DataFrame) -> pd.DataFrame:
    return raw.assign(
        **_arrays(raw, _SAMPLE_ARRAYS),
        is_warmup=raw["is_warmup"].astype(bool),
        may_end=raw["may_end"].astype(bool),
        **{name: raw[name].astype(float) for name in _PERHAPS},
        engine_timings=_objects(raw["engine_timings_json"]),
        resources=_objects(raw["resources_json"]),
        clock_shift_ns=raw["clock_shift_ns"].astype(float),
    ).drop(columns=["engine_timings_json", "resources_json"])


def _conditions(store: Store, wanted: str) -> pd.DataFrame:
    rows = _decode_conditions(_query(store, _CONDITIONS, wanted))
    known = failed_attempts(store.connection, wanted)
    mine = [known.get(key, []) for key in zip(rows["run_id"], rows["stack"], strict=True)]
    return rows.assign(failed_attempts=pd.Series(mine, index=rows.index, dtype=object))


def _decode_conditions(raw: pd.DataFrame) -> pd.DataFrame:
    # Runs that were made before there were blocks have one load, in a column of its own.
    first = raw["load_seconds"].astype(float)
    loads = [
        json.loads(kept) or ([] if math.isnan(one) else [one])
        for kept, one in zip(raw["loads_json"], first, strict=True)
    ]
    medians = [statistics.median(each) if each else math.nan for each in loads]
    return raw.assign(
        is_synthetic=raw["is_synthetic"].astype(bool),
        loads=pd.Series(loads, index=raw.index, dtype=object),
        load_seconds=pd.Series(medians, index=raw.index, dtype=float),
        peak_memory_bytes=raw["peak_memory_bytes"].astype(float),
        callback_cost_ns=raw["callback_cost_ns"].astype(float),
        client_error=_objects(raw["client_error_json"]),
        build=_objects(raw["build_json"]),
        facts=_objects(raw["facts_json"]),
        network=_objects(raw["network_json"]),
    ).drop(columns=["build_json", "client_error_json", "facts_json", "loads_json", "network_json"])


def _decode_runs(raw: pd.DataFrame, damage: Damage) -> pd.DataFrame:
    return raw.assign(
        damaged=[damage.by_run.get(run_id, 0) for run_id in raw["run_id"]],
        host=_objects(raw["host_json"]),
        looks=_objects(raw["looks_json"]),
        allowed_unfair=_objects(raw["allowed_unfair_json"]),
        resumed=_objects(raw["resumed_json"]),
    ).drop(columns=["host_json", "looks_json", "allowed_unfair_json", "resumed_json", *_FOR_OTHERS])


def _decode_levels(raw: pd.DataFrame) -> pd.DataFrame:
    numbers = (
        *("users", "rate", "requests", "duration_s", "ramp_s", "new_tokens"),
        *("started_ns", "ended_ns", "client_cpu_s", "peak_memory_bytes", "clock_shift_ns"),
    )
    return raw.assign(
        **{name: raw[name].astype(float) for name in numbers},
        wall_jump_ns=raw["wall_jump_ns"].astype(float),
        held_back=_objects(raw["held_back_json"]),
        client_error=_objects(raw["client_error_json"]),
    ).drop(columns=["client_error_json", "held_back_json"])


def _decode_requests(raw: pd.DataFrame) -> pd.DataFrame:
    return raw.assign(
        **_arrays(raw, CHUNK_KINDS),
        suspended_ns=raw["suspended_ns"].astype(float),
        engine_timings=_objects(raw["engine_timings_json"]),
    ).drop(columns="engine_timings_json")


def _arrays(raw: pd.DataFrame, kinds: Mapping[str, str]) -> dict[str, pd.Series]:
    return {
        name: pd.Series(
            [None if blob is None else unpack(blob, kind) for blob in raw[name]],
            index=raw.index,
            dtype=object,
        )
        for name, kind in kinds.items()
    }


def _objects(texts: pd.Series) -> pd.Series:
    # An empty place of a column of texts is None or NaN, by the version of pandas.
    values = [json.loads(text) if isinstance(text, str) else None for text in texts]
    return pd.Series(values, index=texts.index, dtype=object)

"""Stored runs as pandas frames: what `analyse` works on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from python_runner.store.recorder import unpack
from python_runner.store.store import Store

_WANTED = "IN (SELECT value FROM json_each(?))"
_SAMPLES = f"""
SELECT c.run_id, c.stack, c.title, c.language, c.reach, s.*
FROM samples s JOIN conditions c USING (condition_id)
WHERE c.run_id {_WANTED} ORDER BY s.sample_id
"""  # noqa: S608 - constants only
_CONDITIONS = f"SELECT * FROM conditions WHERE run_id {_WANTED} ORDER BY condition_id"  # noqa: S608
_RUNS = f"SELECT * FROM runs WHERE run_id {_WANTED} ORDER BY run_id"  # noqa: S608


@dataclass(frozen=True, kw_only=True)
class Frames:
    """Three tables that belong together.

    Attributes:
        samples: one row for each request; `chunk_ns`, `chunk_tokens` and `token_ids` hold
            arrays, `engine_timings` a dictionary.
        conditions: one row for each stack of a run; `build` holds a dictionary.
        runs: one row for each run; `host` holds a dictionary.
    """

    samples: pd.DataFrame
    conditions: pd.DataFrame
    runs: pd.DataFrame


def read_frames(store: Store, run_ids: Sequence[int] | None = None) -> Frames:
    """Read the given runs (all, if None), in the order in which they were measured."""
    wanted = json.dumps(list(store.run_ids() if run_ids is None else run_ids))
    return Frames(
        samples=_decode_samples(_query(store, _SAMPLES, wanted)),
        conditions=_decode_conditions(_query(store, _CONDITIONS, wanted)),
        runs=_decode_runs(_query(store, _RUNS, wanted)),
    )


def _query(store: Store, query: str, wanted: str) -> pd.DataFrame:
    cursor = store.connection.execute(query, (wanted,))
    columns = [column[0] for column in cursor.description]
    # object: counts stay whole numbers even where a column has empty places.
    return pd.DataFrame(cursor.fetchall(), columns=columns, dtype=object).infer_objects()


def _decode_samples(raw: pd.DataFrame) -> pd.DataFrame:
    arrays = {
        name: [None if blob is None else unpack(blob) for blob in raw[name]]
        for name in ("chunk_ns", "chunk_tokens", "token_ids")
    }
    columns = {
        name: pd.Series(values, index=raw.index, dtype=object) for name, values in arrays.items()
    }
    return raw.assign(
        **columns,
        is_warmup=raw["is_warmup"].astype(bool),
        engine_timings=_objects(raw["engine_timings_json"]),
    ).drop(columns="engine_timings_json")


def _decode_conditions(raw: pd.DataFrame) -> pd.DataFrame:
    return raw.assign(
        is_synthetic=raw["is_synthetic"].astype(bool),
        load_seconds=raw["load_seconds"].astype(float),
        peak_memory_bytes=raw["peak_memory_bytes"].astype(float),
        build=_objects(raw["build_json"]),
    ).drop(columns="build_json")


def _decode_runs(raw: pd.DataFrame) -> pd.DataFrame:
    return raw.assign(host=_objects(raw["host_json"])).drop(columns="host_json")


def _objects(texts: pd.Series) -> pd.Series:
    return pd.Series([json.loads(text) for text in texts], index=texts.index, dtype=object)

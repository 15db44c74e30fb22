"""Keeps what came of stacks that were killed. Implements `measure.recovery.RecoveryKeeper`.

A test of recovery is no comparison and no load: it has no samples, and lists of runs would show
it empty. So it has a table of its own. Its number is one of `runs` all the same, taken and never
given to another run, so that a number names one thing in a whole store.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict

import pandas as pd

from python_runner import __version__
from python_runner.common.clock import NS_PER_S, utc_date
from python_runner.engines.contract import EngineSpec, LaunchSettings
from python_runner.measure.recovery import Recovery
from python_runner.store.damage import is_sound
from python_runner.store.open_run import insertion
from python_runner.store.store import Store

_STAMPS = ("killed_ns", "noticed_ns", "cleared_ns", "ready_ns", "first_token_ns")
_TAKE_NUMBER = """
INSERT INTO runs (study, created, status, study_json, host_json, program_version)
VALUES ('', '', 'complete', '{}', '{}', '')
"""

_READ = f"""
SELECT * FROM recoveries WHERE {is_sound("recoveries", "recovery_id")} ORDER BY recovery_id
"""  # noqa: S608 - constants only


class RecoveryRecorder:
    """One test of recovery in the making."""

    def __init__(self, store: Store, settings: LaunchSettings, host: Mapping[str, object]) -> None:
        self._store = store
        self._shared: dict[str, object] = {
            "run_id": take_number(store),
            "created": utc_date(),
            "program_version": __version__,
            "host_json": json.dumps(dict(host)),
            "model": settings.model.name,
            "model_label": settings.model.label,
            "is_synthetic": int(settings.model.is_synthetic),
            "source_sha256": settings.model.source_sha256,
            "precision": settings.precision,
            "device": settings.device,
            "threads": settings.threads,
            "context": settings.context,
        }

    @property
    def run_id(self) -> int:
        """The number of this test."""
        return int(str(self._shared["run_id"]))

    def record(self, spec: EngineSpec, version: str, recovery: Recovery) -> None:
        """One crash is over; when this returns, it is on disk."""
        values: dict[str, object] = {
            **self._shared,
            "stack": spec.name,
            "title": spec.title,
            "language": spec.language.value,
            "reach": spec.reach.value,
            "version": version,
            **asdict(recovery),
        }
        with self._store.transaction() as connection:
            connection.execute(insertion("recoveries", values), tuple(values.values()))


def take_number(store: Store) -> int:
    """A number that no run has or will have."""
    with store.transaction() as connection:
        number = connection.execute(_TAKE_NUMBER).lastrowid
        # The column is AUTOINCREMENT: what it has once given it does not give again.
        connection.execute("DELETE FROM runs WHERE run_id = ?", (number,))
    assert number is not None
    return number


def no_recoveries() -> pd.DataFrame:
    """The table of a store in which no stack was killed."""
    text = ("created", "model", "model_label", "stack", "title", "language", "reach", "error")
    return pd.DataFrame(columns=["run_id", "attempt", *text, "is_synthetic", *_SECONDS])


_SECONDS = ("recovery_s", "noticed_s", "cleared_s", "load_s", "first_token_s")


def read_recoveries(store: Store) -> pd.DataFrame:
    """One row for each crash, oldest first; `find_damage` comes before.

    Returns:
        run_id, created, program_version, `host` (a dictionary), model, model_label,
        is_synthetic, source_sha256, precision, device, threads, context; stack, title, language,
        reach, version; attempt, from 1; error, "" if it came back. In seconds, NaN where it did
        not get so far: recovery_s: SIGKILL to the first token of the next request, which is the
        sum of noticed_s (until the request under way had failed), cleared_s (until what it left
        was ended), load_s (start to ready) and first_token_s (ready to first token).
    """
    cursor = store.connection.execute(_READ)
    columns = [column[0] for column in cursor.description]
    raw = pd.DataFrame(cursor.fetchall(), columns=columns, dtype=object).infer_objects()
    stamps = {name: raw[name].astype(float) for name in _STAMPS}
    passed = {
        "noticed_s": stamps["noticed_ns"] - stamps["killed_ns"],
        "cleared_s": stamps["cleared_ns"] - stamps["noticed_ns"],
        "load_s": stamps["ready_ns"] - stamps["cleared_ns"],
        "first_token_s": stamps["first_token_ns"] - stamps["ready_ns"],
        "recovery_s": stamps["first_token_ns"] - stamps["killed_ns"],
    }
    hosts = pd.Series([json.loads(text) for text in raw["host_json"]], dtype=object)
    return raw.assign(
        host=hosts,
        is_synthetic=raw["is_synthetic"].astype(bool),
        **{name: ns / NS_PER_S for name, ns in passed.items()},
    ).drop(columns=["host_json", "recovery_id", *_STAMPS])

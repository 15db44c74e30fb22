"""Crashes are kept one by one, under a number that no run has."""

from __future__ import annotations

import math
import sqlite3
from pathlib import Path

import pytest

from python_runner.measure.recovery import Recovery
from python_runner.store import RecoveryRecorder, RunRecorder, Store, read_frames
from python_runner.store.recoveries import no_recoveries
from python_runner.store.schema import MIGRATIONS
from tests.unit.builders import settings, spec, study

S = 1_000_000_000
BACK = Recovery(
    attempt=1,
    killed_ns=10 * S,
    noticed_ns=11 * S,
    cleared_ns=13 * S,
    ready_ns=16 * S,
    first_token_ns=20 * S,
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "polystack.sqlite")


def test_a_crash_comes_back_in_seconds(store: Store) -> None:
    recorder = RecoveryRecorder(store, settings(), {"cpu": "test"})
    recorder.record(spec(), "1.0", BACK)
    row = read_frames(store).recoveries.iloc[0]
    assert row["run_id"] == recorder.run_id
    assert (row["stack"], row["version"], row["attempt"]) == ("mock", "1.0", 1)
    assert row["host"] == {"cpu": "test"}
    assert row["recovery_s"] == 10.0
    parts = ["noticed_s", "cleared_s", "load_s", "first_token_s"]
    assert [row[name] for name in parts] == [1.0, 2.0, 3.0, 4.0]
    assert bool(row["is_synthetic"]) is True


def test_a_failure_is_a_row_without_a_time(store: Store) -> None:
    recorder = RecoveryRecorder(store, settings(), {})
    recorder.record(spec(), "", Recovery(attempt=1, killed_ns=S, error="gone"))
    row = read_frames(store).recoveries.iloc[0]
    assert row["error"] == "gone"
    assert math.isnan(row["recovery_s"])
    assert math.isnan(row["noticed_s"])


def test_a_number_names_one_thing_in_a_store(store: Store) -> None:
    def run() -> int:
        with RunRecorder(store, study(), {}) as recorder:
            return recorder.run_id

    first = run()
    crashed = RecoveryRecorder(store, settings(), {}).run_id
    second = run()
    again = RecoveryRecorder(store, settings(), {}).run_id
    assert len({first, crashed, second, again}) == 4
    assert store.run_ids() == [first, second]


def test_crashes_are_read_whatever_runs_are_asked_for(store: Store) -> None:
    with RunRecorder(store, study(), {}) as recorder:
        run_id = recorder.run_id
    RecoveryRecorder(store, settings(), {}).record(spec(), "1.0", BACK)
    assert len(read_frames(store, [run_id]).recoveries) == 1


def test_a_store_without_crashes_has_an_empty_table_of_that_shape(store: Store) -> None:
    found = read_frames(store).recoveries
    assert found.empty
    assert set(no_recoveries().columns) <= set(found.columns)


def test_an_older_store_gets_the_table(tmp_path: Path) -> None:
    path = tmp_path / "polystack.sqlite"
    version = 7  # the table is the eighth migration's
    connection = sqlite3.connect(path)
    for migration in MIGRATIONS[:version]:
        migration(connection)
    connection.execute(f"PRAGMA user_version = {version}")
    connection.commit()
    connection.close()
    with Store(path) as store:
        RecoveryRecorder(store, settings(), {}).record(spec(), "1.0", BACK)
        assert len(read_frames(store).recoveries) == 1

"""Every row has a checksum, whoever writes it, and a row that does not fit it is left out."""

from pathlib import Path

import pytest

from python_runner.common.checkup import State
from python_runner.common.errors import StoreError
from python_runner.store import RunRecorder, Store, read_frames
from python_runner.store.checkup import StoreCheckup
from python_runner.store.room import expected_bytes
from python_runner.store.sums import SUMS, row_sum, tables_of
from tests.unit.builders import condition, generation, sample, study

SAMPLES = 3


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("POLYSTACK_RESULTS", str(tmp_path))
    found = tmp_path / "polystack.sqlite"
    with Store(found) as store, RunRecorder(store, study(), {}) as recorder:
        recorder.begin(condition())
        for number in range(SAMPLES):
            recorder.record(sample(number + 1, generation(start_ns=number)))
        recorder.finish(peak_memory_bytes=None, error="")
    return found


def change(path: Path, *statements: str) -> None:
    """Past the triggers, as a disk would."""
    with Store(path) as store:
        for table in tables_of(store.connection):
            for event in ("INSERT", "UPDATE", "DELETE"):
                store.connection.execute(f"DROP TRIGGER temp.{table.name}_{event}")
        for statement in statements:
            store.connection.execute(statement)


def test_each_row_of_each_table_has_a_sum(path: Path) -> None:
    with Store(path) as store:
        for table in tables_of(store.connection):
            (rows,) = store.connection.execute(f"SELECT count(*) FROM {table.name}").fetchone()  # noqa: S608 - ours
            query = f"SELECT count(*) FROM {SUMS} WHERE name = ?"  # noqa: S608 - ours
            assert store.connection.execute(query, (table.name,)).fetchone() == (rows,)
        assert not read_frames(store).damage


@pytest.mark.parametrize(
    ("statement", "left"),
    [
        ("UPDATE samples SET ended_ns = ended_ns + 1 WHERE sample_id = 2", SAMPLES - 1),
        ("UPDATE samples SET text = CAST(x'ff' AS TEXT) WHERE sample_id = 2", SAMPLES - 1),
        ("DELETE FROM samples WHERE sample_id = 2", SAMPLES - 1),
        (f"DELETE FROM {SUMS} WHERE name = 'samples' AND row = 2", SAMPLES - 1),  # noqa: S608 - ours
        ("UPDATE conditions SET precision = '8bit'", 0),
        ("UPDATE samples SET condition_id = 7 WHERE sample_id = 2", SAMPLES - 1),
    ],
)
def test_what_is_not_as_it_was_written_is_left_out_and_counted(
    path: Path, statement: str, left: int
) -> None:
    change(path, "PRAGMA foreign_keys = OFF", statement)
    with Store(path) as store:
        frames = read_frames(store)
    assert len(frames.samples) == left
    assert frames.runs["damaged"].tolist() == [1]
    found = [finding for finding in StoreCheckup().look() if finding.subject == "store"]
    assert [finding.state for finding in found] == [State.MISSING]
    assert "1 row of run 1" in found[0].detail
    assert "polystack rescue" in found[0].mend


def test_a_run_whose_own_row_is_damaged_is_refused_by_number(path: Path) -> None:
    change(path, 'UPDATE runs SET host_json = \'{"cpu": "another"}\'')
    with Store(path) as store:
        with pytest.raises(StoreError, match="run 1 is not what was written"):
            read_frames(store, [1])
        assert read_frames(store).runs.empty


def test_a_sum_holds_after_a_column_was_added(path: Path) -> None:
    with Store(path) as store:
        store.connection.execute("ALTER TABLE samples ADD COLUMN later INTEGER")
        assert not read_frames(store).damage


def test_stores_do_not_take_each_others_rows(path: Path, tmp_path: Path) -> None:
    with Store(path) as one, Store(tmp_path / "other.sqlite") as two:
        (first,) = one.connection.execute("SELECT row_sum('samples', 1)").fetchone()
        (second,) = two.connection.execute("SELECT row_sum('samples', 1)").fetchone()
    assert first != second


def test_a_sum_tells_values_apart() -> None:
    values: list[tuple[float | bytes | None, ...]] = [
        *((1,), (1.5,), (None,), (b"1",), (b"", b"1"), (b"1", b""), (1, None), (b"\1",)),
    ]
    assert len({row_sum(0, "samples", *each) for each in values}) == len(values)
    assert row_sum(0, "samples", -0.0) == row_sum(0, "samples", 0.0)


def test_the_store_of_a_whole_machine_is_ready(path: Path) -> None:
    (found,) = (finding for finding in StoreCheckup().look() if finding.subject == "store")
    assert found.state is State.READY
    assert "1 run" in found.detail


def test_longer_answers_need_more_room() -> None:
    small, large = study(), study(workload={"new_tokens": 500}, context=1024)
    assert 0 < expected_bytes(small) < expected_bytes(large)

"""Following a run: what is read, how long it will still take, and when nobody measures any more."""

import sqlite3
from pathlib import Path

import pytest

from python_runner.common.errors import StoreError
from python_runner.common.process_mark import Life
from python_runner.measure.load.level import Level
from python_runner.run.watch import Watch, runs_going_on
from python_runner.store import LoadRunRecorder, RunRecorder, Step, Store
from tests.unit.builders import condition, generation, sample, study
from tests.unit.live_builders import Clock, clock
from tests.unit.load_builders import FakeRequest, closed, finished, level_end

__all__ = ["clock"]


def steps(*names: str, blocks: int = 2, requests: int | None = 2) -> list[Step]:
    return [
        Step(stack=name, title=name, number=block, requests=requests, timed=requests)
        for block in range(1, blocks + 1)
        for name in names
    ]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "polystack.sqlite"


def test_each_request_is_seen_once_and_the_same_run_is_given_again(path: Path) -> None:
    with Store(path) as store, RunRecorder(store, study(), {}) as recorder:
        recorder.steps.expect(steps("mock"))
        with Watch(path, recorder.run_id) as watch:
            first = watch.look()
            assert watch.look() is first
            recorder.steps.begin("mock", 1)
            recorder.begin(condition())
            for number in (1, 2):
                recorder.record(sample(number, generation()))
                row = watch.look().stacks[0]
                assert (row["n_timed"], row["n_planned"]) == (number, 4)
            assert watch.life() is Life.RUNS
            assert not watch.look().is_over
            recorder.finish(peak_memory_bytes=None, error="it died")
            assert watch.look().notes == ("Mock ended early: it died",)


def test_time_left_goes_by_the_last_visit_to_each_stack(path: Path, clock: Clock) -> None:
    with Store(path) as store, RunRecorder(store, study(), {}) as recorder:
        recorder.steps.expect(steps("quick", "slow"))
        with Watch(path, recorder.run_id, clock) as watch:
            watch.look()
            assert watch.clock().left_s is None
            for name, seconds in (("quick", 10.0), ("slow", 30.0)):
                recorder.steps.begin(name, 1)
                clock.go_on(seconds)
                recorder.steps.end(name, 1)
                watch.look()
            found = watch.clock()
            assert (found.gone_s, found.left_s, found.between) == (40.0, 40.0, True)
            recorder.steps.begin("quick", 2)
            clock.go_on(4.0)
            watch.look()
            found = watch.clock()
            assert (found.gone_s, found.left_s, found.between) == (44.0, 36.0, False)


def test_a_stack_that_ended_early_is_not_waited_for(path: Path, clock: Clock) -> None:
    with Store(path) as store, RunRecorder(store, study(), {}) as recorder:
        recorder.steps.expect(steps("mock", blocks=3))
        with Watch(path, recorder.run_id, clock) as watch:
            recorder.steps.begin("mock", 1)
            clock.go_on(10.0)
            recorder.begin(condition())
            recorder.finish(peak_memory_bytes=None, error="it died")
            recorder.steps.end("mock", 1)
            watch.look()
            assert watch.clock().left_s == 0.0


def test_a_load_for_a_set_time_is_known_beforehand(path: Path, clock: Clock) -> None:
    level: Level = closed(users=2, duration_s=60.0)
    wanted = [
        Step(stack="mock", title="mock", number=n, requests=None, timed=None, expected_s=60.0)
        for n in (1, 2)
    ]
    with Store(path) as store, LoadRunRecorder(store, study(), {}) as recorder:
        recorder.steps.expect(wanted)
        with Watch(path, recorder.run_id, clock) as watch:
            recorder.steps.begin("mock", 1)
            recorder.begin(condition())
            assert "getting ready" in watch.look().now
            recorder.begin_level(level, None)
            recorder.record(finished([FakeRequest(), FakeRequest(error_kind="timeout")]))
            clock.go_on(20.0)
            run = watch.look()
            assert "level 1 of 2: 2 users" in run.now
            assert run.notes == ("Mock, 2 users: 1 of 2 failed: timeout (1)",)
            assert watch.clock().left_s == 100.0
            clock.go_on(50.0)
            recorder.end_level(level_end())
            watch.look()
            assert watch.clock().left_s == 60.0, "the second level has begun"


def test_a_run_whose_process_is_gone_is_not_going_on(path: Path) -> None:
    with Store(path) as store:
        recorder = RunRecorder(store, study(), {})
        assert runs_going_on(store) == [recorder.run_id]
        with store.transaction() as connection:
            connection.execute(
                "UPDATE runs SET process_json = json_set(process_json, '$.started', 1)"
            )
        assert runs_going_on(store) == []
        with Watch(path, recorder.run_id) as watch:
            assert watch.life() is Life.GONE


def test_following_cannot_write(path: Path) -> None:
    Store(path).close()
    with Store(path, read_only=True) as store, pytest.raises(StoreError, match="cannot be written"):
        store.connection.execute("DELETE FROM runs")


def test_an_older_store_is_not_migrated_under_a_running_measurement(path: Path) -> None:
    Store(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 6")
    connection.close()
    with pytest.raises(StoreError, match="older polystack"):
        Store(path, read_only=True)
    assert not list(path.parent.glob("*.v6.sqlite"))
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (6,)
    connection.close()

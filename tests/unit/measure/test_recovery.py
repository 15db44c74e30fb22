"""A stack is killed in mid-answer and seen to come back; whatever goes wrong is a row."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from python_runner.common.clock import NS_PER_S, ClockReading, Clocks, now_ns
from python_runner.common.errors import EngineCrashError, EngineStartError
from python_runner.common.progress import SilentProgress
from python_runner.engines.contract import (
    EngineDescription,
    EngineSpec,
    GenerateRequest,
    Generation,
    LaunchSettings,
    RunningEngine,
    StopReason,
)
from python_runner.measure.plan import Prompt
from python_runner.measure.recovery import Recovery, RecoveryPlan, measure_recovery
from tests.unit.builders import settings, spec

PROMPTS = tuple(Prompt(text=f"prompt {number}", ids=(1, number)) for number in range(4))


class Life:
    """One life of an engine: answers until it is killed, and knows whether it was stopped."""

    load_seconds = 0.0
    description = EngineDescription(version="1.0", build={})

    def __init__(self, owner: Fragile) -> None:
        self._owner = owner
        self._dead = threading.Event()
        self.is_stopped = False

    def generate(self, request: GenerateRequest) -> Generation:
        requested = now_ns()
        self._owner.asked.append(request.prompt_text)
        if self._dead.wait(self._owner.answer_s):
            raise EngineCrashError("ended by itself (signal SIGKILL)")
        ended = now_ns()
        return Generation(
            requested_ns=requested,
            chunk_ns=(requested, ended) if self._owner.has_tokens else (),
            chunk_tokens=(1, 1),
            ended_ns=ended,
            prompt_tokens=2,
            output_tokens=2,
            stop=StopReason.LENGTH,
            text="a b",
            token_ids=None,
        )

    def kill(self) -> None:
        self._dead.set()

    def token_ids(self, text: str) -> None: ...

    def process_ids(self) -> tuple[int, ...]:
        return ()

    def stop(self) -> None:
        self.is_stopped = True

    def __enter__(self) -> Life:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()


class Fragile:
    """An engine of which every life is kept."""

    def __init__(self, *, answer_s: float = 0.05, starts: int = 100) -> None:
        self.answer_s = answer_s
        self.has_tokens = True
        self.lives: list[Life] = []
        self.asked: list[str] = []
        self._starts = starts

    @property
    def spec(self) -> EngineSpec:
        return spec()

    def prepare(self, progress: object) -> None: ...

    def start(self, _settings: LaunchSettings, _log: Path) -> RunningEngine:
        if len(self.lives) == self._starts:
            raise EngineStartError("the model is gone")
        self.lives.append(Life(self))
        return self.lives[-1]

    def kill(self, _running: object) -> None:
        self.lives[-1].kill()


class Kept:
    """Implements `RecoveryKeeper`."""

    def __init__(self) -> None:
        self.rows: list[Recovery] = []
        self.versions: list[str] = []

    def record(self, spec: EngineSpec, version: str, recovery: Recovery) -> None:
        self.rows.append(recovery)
        self.versions.append(version)


class Sleepy:
    """Clocks of a machine that sleeps a second in each of these lives of an engine."""

    def __init__(self, engine: Fragile, *lives: int) -> None:
        self._engine = engine
        self._lives = lives

    def read(self) -> ClockReading:
        at_ns = now_ns()
        slept_ns = sum(NS_PER_S for life in self._lives if life <= len(self._engine.lives))
        return ClockReading(monotonic_ns=at_ns, boot_ns=at_ns + slept_ns, wall_ns=at_ns + slept_ns)


def crash(
    engine: Fragile,
    kept: Kept,
    *,
    times: int = 2,
    clocks: Clocks | None = None,
    said: list[str] | None = None,
) -> str:
    with SilentProgress().task("a test") as task:
        return measure_recovery(
            engine,
            settings(),
            RecoveryPlan(prompts=PROMPTS, new_tokens=4, times=times),
            recorder=kept,
            log=Path("nowhere"),
            task=task,
            kill=engine.kill,
            say=(list[str]() if said is None else said).append,
            clocks=clocks,
        )


def stamps(row: Recovery) -> Mapping[str, int | None]:
    return {
        "killed": row.killed_ns,
        "noticed": row.noticed_ns,
        "cleared": row.cleared_ns,
        "ready": row.ready_ns,
        "first token": row.first_token_ns,
    }


def test_each_crash_is_a_row_with_its_stamps_in_order() -> None:
    engine, kept = Fragile(), Kept()
    assert crash(engine, kept) == ""
    assert [row.attempt for row in kept.rows] == [1, 2]
    for row in kept.rows:
        assert row.error == ""
        known = [value for value in stamps(row).values() if value is not None]
        assert len(known) == 5
        assert known == sorted(known)
    assert kept.versions == ["1.0", "1.0"]


def test_it_is_killed_as_often_as_asked_and_nothing_is_left_running() -> None:
    engine, kept = Fragile(), Kept()
    crash(engine, kept, times=3)
    assert len(engine.lives) == 4
    assert all(life.is_stopped for life in engine.lives)


def test_a_crash_in_which_the_machine_slept_is_made_again() -> None:
    engine, kept, said = Fragile(), Kept(), list[str]()
    assert crash(engine, kept, clocks=Sleepy(engine, 2), said=said) == ""
    assert [(row.attempt, row.error) for row in kept.rows] == [(1, ""), (2, "")]
    assert len(engine.lives) == 4
    assert len(said) == 1
    assert "crash 1 is thrown away and made again: machine asleep for 1.0 s" in said[0]


def test_a_machine_that_sleeps_again_and_again_gives_no_row() -> None:
    engine, kept, said = Fragile(), Kept(), list[str]()
    error = crash(engine, kept, clocks=Sleepy(engine, 2, 3, 4), said=said)
    assert "crash 1 is not known: machine asleep" in error
    assert kept.rows == []
    assert len(said) == 3
    assert all(life.is_stopped for life in engine.lives)


def test_what_failed_in_a_sleep_is_made_again_by_another_engine() -> None:
    class Lame(Fragile):
        """Its second life gives nothing."""

        def start(self, launch: LaunchSettings, log: Path) -> RunningEngine:
            self.has_tokens = len(self.lives) != 1
            return super().start(launch, log)

    engine, kept = Lame(), Kept()
    assert crash(engine, kept, times=1, clocks=Sleepy(engine, 2)) == ""
    assert [row.error for row in kept.rows] == [""]
    assert len(engine.lives) == 4


def test_a_stack_that_does_not_come_back_is_a_row() -> None:
    engine, kept = Fragile(starts=1), Kept()
    assert crash(engine, kept) == "the model is gone"
    (row,) = kept.rows
    assert row.error == "the model is gone"
    assert row.killed_ns is not None
    assert row.ready_ns is None
    assert all(life.is_stopped for life in engine.lives)


def test_a_stack_that_never_starts_is_a_row() -> None:
    engine, kept = Fragile(starts=0), Kept()
    assert crash(engine, kept) == "the model is gone"
    assert [(row.attempt, row.error) for row in kept.rows] == [(1, "the model is gone")]


def test_an_answer_without_a_token_is_no_recovery() -> None:
    engine, kept = Fragile(), Kept()
    engine.has_tokens = False
    assert crash(engine, kept) == "an answer without a token"
    assert kept.rows[0].first_token_ns is None


def test_a_blow_that_comes_too_late_is_dealt_again() -> None:
    class Tough(Fragile):
        def kill(self, _running: object) -> None:
            if len(self.lives) == 1:
                time.sleep(4 * self.answer_s)  # its answer is over by then
            super().kill(_running)

    engine, kept = Tough(), Kept()
    assert crash(engine, kept, times=1) == ""
    (row,) = kept.rows
    assert row.first_token_ns is not None
    assert len(engine.lives) == 3
    assert all(life.is_stopped for life in engine.lives)


def test_answers_that_are_always_over_are_no_crash() -> None:
    class Immortal(Fragile):
        def kill(self, _running: object) -> None:
            time.sleep(4 * self.answer_s)

    engine, kept = Immortal(answer_s=0.01), Kept()
    assert "too short" in crash(engine, kept)
    assert kept.rows[0].killed_ns is None
    assert all(life.is_stopped for life in engine.lives)


def test_ctrl_c_leaves_nothing_running() -> None:
    class Interrupted(Fragile):
        def kill(self, _running: object) -> None:
            super().kill(_running)
            raise KeyboardInterrupt

    engine, kept = Interrupted(), Kept()
    with pytest.raises(KeyboardInterrupt):
        crash(engine, kept)
    assert all(life.is_stopped for life in engine.lives)

"""A request or a start that failed is tried again, and nobody can take it for the first attempt."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from python_runner.common.clock import NS_PER_S, ClockReading, Clocks, now_ns
from python_runner.common.errors import (
    EngineCrashError,
    EngineStartError,
    GenerationError,
    RequestTimeoutError,
)
from python_runner.common.progress import SilentProgress
from python_runner.engines.contract import (
    GenerateRequest,
    Generation,
    Language,
    LaunchSettings,
    Reach,
)
from python_runner.engines.mock import MockEngine, MockModel, MockScript, mock_spec
from python_runner.measure import measure_stack
from tests.unit.builders import settings
from tests.unit.measure.test_stack import Kept, plan

CRASH = EngineCrashError("flaky ended by itself (signal SIGSEGV) while answering")
FAILED = GenerationError("flaky answered 500")
LATE = RequestTimeoutError("flaky had no answer after 2 s, and was ended")


class Flaky(MockEngine):
    """Fails by a list: what to raise at each start and at each request, over all its lives."""

    def __init__(
        self, *, starts: tuple[Exception | None, ...] = (), asks: dict[int, Exception] | None = None
    ) -> None:
        super().__init__(mock_spec("flaky", Language.CPP, Reach.EMBEDDED), MockScript())
        self.starts = list(starts)
        self.asks = asks or {}
        self.prompts: list[str] = []
        self.lives: list[MockModel] = []

    def start(self, settings: LaunchSettings, log: Path) -> MockModel:
        failure = self.starts.pop(0) if self.starts else None
        if failure is not None:
            raise failure
        model = super().start(settings, log)
        answer = model.generate

        def generate(request: GenerateRequest) -> Generation:
            self.prompts.append(request.prompt_text)
            if failure := self.asks.get(len(self.prompts)):
                raise failure
            return answer(request)

        model.generate = generate  # type: ignore[method-assign]
        self.lives.append(model)
        return model


class Dozing(Flaky):
    """A machine that sleeps within these requests. Also its clocks."""

    def __init__(self, *, sleeps: set[int], **how: Any) -> None:
        super().__init__(**how)
        self.sleeps = sleeps

    def read(self) -> ClockReading:
        at_ns = now_ns()
        slept_ns = sum(NS_PER_S for number in self.sleeps if number <= len(self.prompts))
        return ClockReading(monotonic_ns=at_ns, boot_ns=at_ns + slept_ns, wall_ns=at_ns + slept_ns)


def measure(engine: Flaky, *, retries: int = 0, clocks: Clocks | None = None) -> tuple[Kept, str]:
    kept = Kept()
    error = measure_stack(
        engine,
        settings(),
        replace(plan(), retries=retries),
        recorder=kept,
        log=Path("unused.log"),
        progress=SilentProgress(),
        clocks=clocks,
    )
    return kept, error


@pytest.mark.parametrize("failure", [CRASH, FAILED, LATE])
def test_what_failed_is_asked_again_of_a_stack_that_was_started_anew(failure: Exception) -> None:
    engine = Flaky(asks={4: failure})
    kept, error = measure(engine, retries=1)

    assert error == ""
    assert [sample.error for sample in kept.samples] == [""] * 5
    assert [sample.attempt for sample in kept.samples] == [1, 1, 1, 2, 1]
    assert len(engine.lives) == 2
    # Warm-up again, which is not kept, then the same prompt.
    assert engine.prompts == ["p0", "p1", "p2", "p3", "p0", "p1", "p3", "p4"]
    (failed,) = kept.attempts
    assert (failed.stack, failed.block, failed.iteration, failed.is_warmup) == (
        "flaky",
        1,
        2,
        False,
    )
    assert (failed.attempt, failed.error) == (1, str(failure))
    assert failed.began_ns <= failed.ended_ns


def test_stamps_of_another_attempt_count_from_its_own_request() -> None:
    (first, _), (again, _) = measure(Flaky(), retries=0), measure(Flaky(asks={3: CRASH}), retries=1)
    for kept in (first, again):
        answer = kept.samples[2].generation
        assert answer is not None
        assert answer.chunk_ns[0] - answer.requested_ns == MockScript().ttft_ns


def test_nothing_is_tried_again_unless_that_is_asked_for() -> None:
    engine = Flaky(asks={4: CRASH})
    kept, error = measure(engine, retries=0)
    assert error == str(CRASH)
    assert [sample.attempt for sample in kept.samples] == [1, 1, 1, 1]
    assert kept.samples[-1].error == str(CRASH)
    assert kept.attempts == []
    assert len(engine.lives) == 1


def test_the_last_attempt_is_the_sample() -> None:
    kept, error = measure(Flaky(asks={3: CRASH, 6: FAILED, 9: CRASH}), retries=2)
    assert error == str(CRASH)
    assert [(each.attempt, each.error) for each in kept.attempts] == [
        (1, str(CRASH)),
        (2, "flaky answered 500"),
    ]
    last = kept.samples[-1]
    assert (last.iteration, last.attempt, last.error) == (1, 3, str(CRASH))
    assert last.generation is None


def test_a_failed_warm_up_is_tried_again_after_those_before_it() -> None:
    engine = Flaky(asks={2: CRASH})
    kept, _ = measure(engine, retries=1)
    assert engine.prompts[:4] == ["p0", "p1", "p0", "p1"]
    assert [(sample.is_warmup, sample.attempt) for sample in kept.samples[:2]] == [
        (True, 1),
        (True, 2),
    ]
    assert kept.attempts[0].is_warmup


def test_warming_up_again_may_fail_too() -> None:
    kept, error = measure(Flaky(asks={3: CRASH, 4: FAILED}), retries=2)
    assert error == ""
    assert [each.error for each in kept.attempts] == [str(CRASH), "flaky answered 500"]
    assert kept.samples[2].attempt == 3


def test_a_start_is_tried_again() -> None:
    engine = Flaky(starts=(EngineStartError("no port"), None))
    kept, error = measure(engine, retries=1)
    assert error == ""
    assert len(kept.samples) == 5
    (failed,) = kept.attempts
    assert (failed.iteration, failed.attempt, failed.error) == (None, 1, "no port")


def test_a_stack_that_never_starts_is_given_up() -> None:
    kept, error = measure(Flaky(starts=(EngineStartError("no port"),) * 3), retries=2)
    assert error == "no port"
    assert kept.samples == []
    assert [each.attempt for each in kept.attempts] == [1, 2]


def test_one_that_cannot_be_started_again_ends_with_its_sample() -> None:
    engine = Flaky(starts=(None, EngineStartError("no memory")), asks={3: CRASH})
    kept, error = measure(engine, retries=1)
    assert "no memory" in error
    assert "started again after a failure" in kept.samples[-1].error
    assert len(kept.samples) == 3
    assert kept.endings == [error]


def test_a_request_out_of_time_ends_the_stack() -> None:
    kept, error = measure(Flaky(asks={3: LATE}), retries=0)
    assert error == str(LATE)
    assert len(kept.samples) == 3


def test_out_of_time_in_a_sleep_the_next_request_has_a_new_engine() -> None:
    engine = Dozing(sleeps={3}, asks={3: LATE})
    kept, error = measure(engine, clocks=engine)

    assert error == ""
    assert [sample.error for sample in kept.samples] == ["", "", str(LATE), "", ""]
    assert [sample.time.is_suspended for sample in kept.samples] == [
        False,
        False,
        True,
        *[False] * 2,
    ]
    assert len(engine.lives) == 2
    # It is not asked again; what warms up is.
    assert engine.prompts == ["p0", "p1", "p2", "p0", "p1", "p3", "p4"]
    (failed,) = kept.attempts
    assert (failed.iteration, failed.attempt, failed.error) == (1, 1, str(LATE))


def test_after_the_last_request_nothing_is_started_anew() -> None:
    engine = Dozing(sleeps={5}, asks={5: LATE})
    kept, error = measure(engine, clocks=engine)
    assert error == ""
    assert kept.samples[-1].time.is_suspended
    assert (len(engine.lives), kept.attempts) == (1, [])


def test_a_sleep_in_what_warms_up_again_costs_that_request_only() -> None:
    engine = Dozing(sleeps={3, 5}, asks={3: LATE, 5: LATE})
    kept, error = measure(engine, clocks=engine)
    assert error == ""
    assert [sample.error for sample in kept.samples] == ["", "", str(LATE), str(LATE), ""]
    assert kept.samples[3].time.is_suspended
    assert [each.iteration for each in kept.attempts] == [1, 2]
    assert len(engine.lives) == 3


def test_an_engine_that_does_not_come_back_after_a_sleep_ends_the_stack() -> None:
    engine = Dozing(sleeps={3}, asks={3: LATE}, starts=(None, EngineStartError("no memory")))
    kept, error = measure(engine, clocks=engine)
    assert "no memory" in error
    assert len(kept.samples) == 4


def test_with_attempts_left_it_is_asked_again() -> None:
    engine = Dozing(sleeps={3}, asks={3: LATE})
    kept, error = measure(engine, retries=1, clocks=engine)
    assert error == ""
    assert [sample.attempt for sample in kept.samples] == [1, 1, 2, 1, 1]
    assert not any(sample.time.is_suspended for sample in kept.samples)
    assert len(kept.attempts) == 1


def test_the_limits_of_the_plan_reach_the_engine() -> None:
    seen: list[GenerateRequest] = []
    engine = Flaky()
    start = engine.start

    def starting(settings: LaunchSettings, log: Path) -> MockModel:
        model = start(settings, log)
        answer = model.generate

        def generate(request: GenerateRequest) -> Generation:
            seen.append(request)
            return answer(request)

        model.generate = generate  # type: ignore[method-assign]
        return model

    engine.start = starting  # type: ignore[method-assign]
    measure_stack(
        engine,
        settings(),
        replace(plan(), timeout_s=7.0, stall_timeout_s=3.0),
        recorder=Kept(),
        log=Path("unused.log"),
        progress=SilentProgress(),
    )
    assert {(each.timeout_s, each.stall_timeout_s) for each in seen} == {(7.0, 3.0)}

"""One stack, measured on the mock engine: what is recorded, and when it is broken off."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from python_runner.common.progress import SilentProgress
from python_runner.engines.contract import (
    EngineDescription,
    GenerateRequest,
    Generation,
    Language,
    LaunchSettings,
    Reach,
)
from python_runner.engines.mock import MockEngine, MockModel, MockScript, mock_spec
from python_runner.engines.outside import NetworkReading
from python_runner.measure import (
    Condition,
    FailedAttempt,
    Plan,
    Prompt,
    Sample,
    make_blocks,
    measure_stack,
)
from tests.unit.builders import settings


@dataclass
class Kept:
    """A recorder that keeps everything in memory, in the order of the calls."""

    conditions: list[Condition] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    endings: list[str] = field(default_factory=list)
    network: list[NetworkReading] = field(default_factory=list)
    attempts: list[FailedAttempt] = field(default_factory=list)

    def begin(self, condition: Condition) -> None:
        self.conditions.append(condition)

    def record(self, sample: Sample) -> None:
        self.samples.append(sample)

    def keep_attempt(self, failed: FailedAttempt) -> None:
        self.attempts.append(failed)

    def keep_network(self, readings: Sequence[NetworkReading]) -> None:
        self.network.extend(readings)

    def finish(self, *, peak_memory_bytes: int | None, error: str) -> None:
        self.endings.append(error)


def plan(*, warmup: int = 2, iterations: int = 3, new_tokens: int = 4) -> Plan:
    prompts = tuple(Prompt(text=f"p{i}", ids=(2, i)) for i in range(warmup + iterations))
    return Plan(
        warmup=warmup,
        prompts=prompts,
        new_tokens=new_tokens,
        template="raw",
        sampling="greedy",
        seed=1,
        prompt_cache="unique prompts",
    )


def measure(script: MockScript, requests: Plan | None = None) -> tuple[Kept, str]:
    kept = Kept()
    mock = MockEngine(mock_spec("mock", Language.CPP, Reach.EMBEDDED), script)
    error = measure_stack(
        mock,
        settings(),
        requests or plan(),
        recorder=kept,
        log=Path("unused.log"),
        progress=SilentProgress(),
    )
    return kept, error


def test_warm_ups_come_first_and_have_a_count_of_their_own() -> None:
    kept, error = measure(MockScript())
    assert error == ""
    order = [(sample.is_warmup, sample.iteration) for sample in kept.samples]
    assert order == [(True, 1), (True, 2), (False, 1), (False, 2), (False, 3)]
    assert [sample.prompt_text for sample in kept.samples] == ["p0", "p1", "p2", "p3", "p4"]


def test_the_condition_is_recorded_before_the_first_sample() -> None:
    kept, _ = measure(MockScript(load_seconds=2.5))
    (condition,) = kept.conditions
    assert condition.version == "mock 1"
    assert condition.load_seconds == 2.5
    assert condition.build == {"threads": "2"}
    assert kept.endings == [""]


def test_an_engine_that_does_not_start_is_a_result() -> None:
    kept, error = measure(MockScript(crash_at_start=True))
    assert "never became ready" in error
    assert kept.samples == []
    assert kept.endings == [error]


def test_a_failed_request_is_a_row_and_the_others_go_on() -> None:
    kept, error = measure(MockScript(fail_at=frozenset({3})))
    assert error == ""
    assert [bool(sample.error) for sample in kept.samples] == [False, False, True, False, False]
    assert kept.samples[2].generation is None


def test_three_failures_in_a_row_end_the_stack() -> None:
    kept, error = measure(MockScript(fail_at=frozenset({2, 3, 4})))
    assert "3 requests in a row failed" in error
    assert len(kept.samples) == 4


def test_a_crash_ends_the_stack_and_keeps_what_was_done() -> None:
    kept, error = measure(MockScript(crash_at=4))
    assert "SIGILL" in error
    assert [bool(sample.error) for sample in kept.samples] == [False, False, False, True]
    assert kept.endings == [error]


def test_another_count_of_prompt_tokens_is_another_work() -> None:
    kept, _ = measure(MockScript(extra_prompt_tokens=1))
    assert all("prompt of 3 tokens" in sample.error for sample in kept.samples)
    assert all(sample.generation is not None for sample in kept.samples)


def test_a_wrong_count_of_tokens_is_kept_as_it_came() -> None:
    kept, _ = measure(MockScript(extra_tokens=2))
    generation = kept.samples[0].generation
    assert generation is not None
    assert (kept.samples[0].requested_tokens, generation.output_tokens) == (4, 6)


class Buggy(MockEngine):
    """Raises what no engine should: at the start, or at every request."""

    def __init__(self, *, at_start: bool) -> None:
        super().__init__(mock_spec("buggy", Language.CPP, Reach.EMBEDDED), MockScript())
        self._at_start = at_start

    def start(self, settings: LaunchSettings, log: Path) -> MockModel:
        if self._at_start:
            raise KeyError("no such setting")
        model = super().start(settings, log)
        model.generate = self._generate  # type: ignore[method-assign]
        return model

    def _generate(self, request: GenerateRequest) -> Generation:
        raise ValueError("a slip of the engine's author")


@pytest.mark.parametrize(
    ("at_start", "reason"), [(True, "KeyError: 'no such setting'"), (False, "ValueError: a slip")]
)
def test_an_engine_with_a_bug_is_a_result_too(*, at_start: bool, reason: str) -> None:
    kept = Kept()
    error = measure_stack(
        Buggy(at_start=at_start),
        settings(),
        plan(),
        recorder=kept,
        log=Path("unused.log"),
        progress=SilentProgress(),
    )
    assert reason in error
    assert kept.endings == [error]


@dataclass
class Described(MockEngine):
    """A mock that says something else about itself."""

    description: EngineDescription

    def __post_init__(self) -> None:
        super().__init__(mock_spec("mock", Language.CPP, Reach.EMBEDDED), MockScript())

    def start(self, settings: LaunchSettings, log: Path) -> MockModel:
        said = self.description

        class Model(MockModel):
            @property
            def description(self) -> EngineDescription:
                return said

        return Model(self._spec, self._script, settings)


def measured_as(description: EngineDescription) -> tuple[Kept, str]:
    kept = Kept()
    error = measure_stack(
        Described(description),
        settings(),
        plan(),
        recorder=kept,
        log=Path("unused.log"),
        progress=SilentProgress(),
    )
    return kept, error


def test_what_ran_may_be_the_title() -> None:
    kept, _ = measured_as(EngineDescription(version="1", build={}, label="mock (other engine)"))
    assert kept.conditions[0].engine.title == "mock (other engine)"
    assert kept.conditions[0].engine.name == "mock"


def test_what_has_no_version_is_not_measured() -> None:
    kept, error = measured_as(EngineDescription(version="", build={}))
    assert "version" in error
    assert kept.samples == []
    assert kept.endings == [error]


def test_ctrl_c_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_sample: Sample) -> None:
        raise KeyboardInterrupt

    kept = Kept()
    monkeypatch.setattr(kept, "record", interrupt)
    mock = MockEngine(mock_spec("mock", Language.CPP, Reach.EMBEDDED), MockScript())
    with pytest.raises(KeyboardInterrupt):
        measure_stack(
            mock,
            settings(),
            plan(),
            recorder=kept,
            log=Path("unused.log"),
            progress=SilentProgress(),
        )


def test_a_visit_is_a_part_of_the_plan() -> None:
    kept, whole = Kept(), plan(warmup=1, iterations=4)
    mock = MockEngine(mock_spec("mock", Language.CPP, Reach.EMBEDDED), MockScript())
    for before, block in enumerate(make_blocks(4, 2)):
        error = measure_stack(
            mock,
            settings(),
            whole,
            recorder=kept,
            log=Path("unused.log"),
            progress=SilentProgress(),
            visit=whole.visit(block, before=before),
        )
        assert error == ""
    timed = [(one.block, one.iteration) for one in kept.samples if not one.is_warmup]
    assert timed == [(1, 1), (1, 2), (2, 3), (2, 4)]
    assert len(kept.conditions) == 2
    assert {one.noise for one in kept.samples} == {None}


class Stamping(MockEngine):
    """Says what a stamp costs, and counts how often it was asked."""

    def __init__(self) -> None:
        super().__init__(mock_spec("mock", Language.CPP, Reach.EMBEDDED), MockScript())
        self.asked = 0

    def start(self, settings: LaunchSettings, log: Path) -> MockModel:
        engine = self

        class Model(MockModel):
            def stamp_cost_ns(self) -> float:
                engine.asked += 1
                return 7.0

        return Model(self._spec, self._script, settings)


def test_the_error_of_the_stamps_is_measured_in_the_first_visit_only() -> None:
    kept, whole, stamping = Kept(), plan(warmup=0, iterations=2), Stamping()
    for before, block in enumerate(make_blocks(2, 2)):
        measure_stack(
            stamping,
            settings(),
            whole,
            recorder=kept,
            log=Path("unused.log"),
            progress=SilentProgress(),
            visit=whole.visit(block, before=before),
        )
    assert stamping.asked == 1
    assert [one.callback_cost_ns for one in kept.conditions] == [7.0, None]

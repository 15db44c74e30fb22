"""Goes from stack to stack, block by block, and knows which of them have ended."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from python_runner.common.progress import Progress
from python_runner.engines.contract import Engine, EngineSpec, LaunchSettings
from python_runner.measure import (
    Block,
    FailureStreak,
    NoiseProbe,
    Plan,
    measure_stack,
    visiting_order,
)
from python_runner.measure.load.calibration import Calibrates
from python_runner.measure.stack import condition_of
from python_runner.run.pace import Course, Pace, WithinCourse
from python_runner.run.resume.before import Before, Stop
from python_runner.store import RunRecorder, Step


@dataclass(frozen=True, kw_only=True)
class Tools:
    """What all visits of a run share."""

    settings_of: Callable[[EngineSpec], LaunchSettings]
    """What a stack is started with."""
    plan: Plan
    calibrator: Calibrates | None
    probe: NoiseProbe | None
    recorder: RunRecorder
    logs: Path
    progress: Progress


@dataclass(kw_only=True)
class _Stack:
    """What became of a stack so far."""

    visits: int = 0
    streak: FailureStreak = field(default_factory=FailureStreak)


class Tour:
    """Visits stacks; one that has ended before its time is not started again."""

    def __init__(
        self, tools: Tools, pace: Pace | None = None, before: Before | None = None
    ) -> None:
        """`before`: what an interrupted run has; None: it begins."""
        before = before or Before()
        self.tools = tools
        self._pace = pace or Pace()
        self._before = before
        for name, seconds in before.visits_s.items():
            self._pace.note(name, seconds)
        self._stacks: dict[str, _Stack] = {
            name: _Stack(streak=FailureStreak(count)) for name, count in before.failures.items()
        }
        self._announced: dict[str, set[int]] = {}
        """Numbers of the blocks in which a stack is known to be visited."""
        self.ended = dict(before.ended)
        """Stack to the reason why it ended before its time."""
        self.last_block = before.last_block
        """The highest number of a block that was visited."""
        self.spent_s = before.spent_s
        """Seconds of all visits."""

    def number_of(self, iteration: int) -> int | None:
        """Of the block in which an interrupted run has made an iteration; None if it has not."""
        return self._before.block_of(iteration)

    def expected_s(self, engines: Iterable[str], blocks: int) -> float:
        """What so many blocks with those of `engines` that have not ended will take."""
        alive = [name for name in engines if name not in self.ended]
        return blocks * sum(self._pace.expected_s(name) or 0.0 for name in alive)

    def leave_out(self, candidate: Engine, reason: str) -> None:
        """Record a stack that was never started."""
        recorder, settings = self.tools.recorder, self.tools.settings_of(candidate.spec)
        recorder.begin(condition_of(candidate, settings, self.tools.plan, None))
        recorder.finish(peak_memory_bytes=None, error=reason)

    def expect(self, blocks: Sequence[Block], engines: Mapping[str, Engine]) -> None:
        """Tell whoever follows the run that these visits will come, in this order.

        Only for what comes after something else; `visit` tells of its own.
        """
        self._expect(self._stops(blocks, list(engines)), engines)

    def _expect(self, stops: Sequence[Stop], engines: Mapping[str, Engine]) -> None:
        steps = []
        for block, name in stops:
            known = self._announced.setdefault(name, set())
            if block.number in known:
                continue
            done = self._before.of(name)
            visit = self.tools.plan.visit(block, before=len(known), done=done)
            known.add(block.number)
            steps.append(
                Step(
                    stack=name,
                    title=engines[name].spec.title,
                    number=block.number,
                    requests=len(visit.requests) + done.kept.get(block.number, 0),
                    timed=len(done.left(block)) + [*done.timed.values()].count(block.number),
                )
            )
        self.tools.recorder.steps.expect(steps)

    def visit(self, blocks: Sequence[Block], engines: Mapping[str, Engine]) -> None:
        """Visit each of `engines` in each block, in turns; what is done is not done again."""
        names = [name for name in engines if name not in self.ended]
        if not names or not blocks:
            return
        self.last_block = max(self.last_block, blocks[-1].number)
        stops = self._stops(blocks, names)
        if not stops:
            return
        self._expect(stops, engines)
        last = self.last_block = max(self.last_block, *(block.number for block, _ in stops))
        started_s = self._pace.clock()
        with self.tools.progress.task(_title(blocks, names), why=_length(blocks)) as task:
            course = Course([name for _, name in stops], self._pace, task)
            for block, name in stops:
                if name in self.ended:
                    course.skip()
                    continue
                with course.visit():
                    where = f"block {block.number} of {last}, {engines[name].spec.title}"
                    progress = WithinCourse(course, self.tools.progress, where)
                    self._visit_one(block, name, engines[name], progress)
        self.spent_s += self._pace.clock() - started_s

    def _visit_one(self, block: Block, name: str, candidate: Engine, progress: Progress) -> None:
        tools, steps = self.tools, self.tools.recorder.steps
        stack = self._stacks.setdefault(name, _Stack())
        steps.begin(name, block.number)
        reason = measure_stack(
            candidate,
            tools.settings_of(candidate.spec),
            tools.plan,
            recorder=tools.recorder,
            log=tools.logs / f"{name}.log",
            progress=progress,
            calibrator=tools.calibrator,
            probe=tools.probe,
            visit=tools.plan.visit(block, before=stack.visits, done=self._before.of(name)),
            streak=stack.streak,
        )
        steps.end(name, block.number)
        stack.visits += 1
        if reason:
            self.ended[name] = reason

    def _stops(self, blocks: Sequence[Block], names: Sequence[str]) -> list[Stop]:
        stops = [(block, names[at]) for block in blocks for at in _order(names, block)]
        return self._before.rest_of(stops, self.last_block)


def _order(names: Sequence[str], block: Block) -> list[int]:
    return visiting_order(len(names), block.number - 1)


def _title(blocks: Sequence[Block], names: Sequence[str]) -> str:
    stacks = "1 stack" if len(names) == 1 else f"{len(names)} stacks"
    if len(blocks) == 1:
        return f"{stacks}, block {blocks[0].number}"
    return f"{stacks}, blocks {blocks[0].number} to {blocks[-1].number}"


def _length(blocks: Sequence[Block]) -> str:
    count = sum(block.count for block in blocks)
    return "1 timed iteration each" if count == 1 else f"{count} timed iterations each"

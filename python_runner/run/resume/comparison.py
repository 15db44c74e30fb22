"""An interrupted comparison goes on: the visits that are left, and of a cut one what it lacks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from python_runner.common.host import describe_host
from python_runner.common.progress import Progress
from python_runner.engines.contract import Engine
from python_runner.measure import Block, NoiseProbe
from python_runner.run.building import build, without
from python_runner.run.compare import (
    Comparison,
    find_engines,
    get_ready,
    preflight_of,
    tools_of,
)
from python_runner.run.preflight import Checked
from python_runner.run.preparation import plan_for, rounds_of
from python_runner.run.resume.allowed import study_of, with_its_model
from python_runner.run.resume.before import Before
from python_runner.run.resume.same import (
    refuse_other_facts,
    refuse_other_model,
    refuse_other_place,
    refuse_other_prompts,
)
from python_runner.run.tour import Tour
from python_runner.run.until import go_on_until_narrow
from python_runner.store import RunRecorder, Store
from python_runner.store.going_on import GoingOn
from python_runner.store.interrupted import StoredRun
from python_runner.study import Study


@dataclass(frozen=True, kw_only=True)
class Ways:
    """Where it goes on, and how it is shown. As `run.compare` takes them."""

    logs: Path
    progress: Progress
    on_begin: Callable[[int], None] | None = None
    probe: NoiseProbe | None = None


def resume_comparison(
    stored: StoredRun, store: Store, ways: Ways, *, again: bool = False
) -> Comparison:
    """Make what an interrupted comparison lacks.

    Everything is built first: whoever goes on with a run has seen its first figures. Stacks of
    which nothing is left are not started.

    Args:
        stored: the run. That nobody is at it is the caller's to see to.
        store: where it is.
        ways: see there.
        again: also try stacks again that had ended before their time.

    Raises:
        UnfairError: something is not what it was when the run began; nothing is changed then,
            unless it is a stack's version or build, which show when it is started.
        UsageError: another process has taken the run up meanwhile.
        SetupError, ModelError, KeyboardInterrupt: as `run.compare`.
    """
    refuse_other_place(stored)
    study = study_of(stored)
    engines = find_engines(study)
    ended = {} if again else stored.ended
    left = {name: engines[name] for name in _left(study, stored, ended)}
    tried_again = {name: stored.ended[name] for name in stored.ended.keys() & left.keys()}
    going_on = GoingOn(stored=stored, again=tried_again, cut=_cut(study, stored, ended))
    if not left:
        with RunRecorder(store, study, describe_host(), going_on=going_on):
            return Comparison(run_id=stored.run_id, broken=ended)
    ready = get_ready(with_its_model(study, stored), left, ways.progress)
    refuse_other_model(stored, ready.settings)
    log = ways.logs / "tokenizer.log"
    plan = plan_for(study, ready.source, ready.settings, log=log, progress=ways.progress)
    refuse_other_prompts(stored, plan)
    waiting = without(left, left.keys() - ready.waiting)
    missing = {**ready.missing, **build(waiting, ways.progress)}
    preflight = preflight_of(study, ready, plan, ways.logs, ways.progress)
    checked = preflight.check(without(left, missing), checked_before(stored, left))
    refuse_other_facts(stored, left, checked.facts)
    left_out = {**missing, **checked.failed}
    with RunRecorder(store, study, describe_host(), going_on=going_on) as recorder:
        if ways.on_begin is not None:
            ways.on_begin(recorder.run_id)
        recorder.keep_facts(checked.facts, checked.unfair)
        tools = tools_of(
            *(plan, preflight, recorder, ways.probe), logs=ways.logs, progress=ways.progress
        )
        tour = Tour(tools, before=_before(stored, ended, frozenset(tried_again)))
        for name, reason in left_out.items():
            tour.leave_out(left[name], reason)
        tour.visit(rounds_of(study)[0], without(left, left_out))
        go_on_until_narrow(study, tour, without(left, left_out))
    return Comparison(
        run_id=stored.run_id, broken={**tour.ended, **left_out}, not_built=frozenset(missing)
    )


def _left(study: Study, stored: StoredRun, ended: Mapping[str, str]) -> list[str]:
    """Stacks of which something is left, or may be: that is known when intervals are looked at."""
    first = rounds_of(study)[0]
    may_go_on = study.target is not None
    return [
        name
        for name in study.stacks
        if name not in ended and (may_go_on or _blocks_left(stored, name, first))
    ]


def _blocks_left(stored: StoredRun, name: str, blocks: tuple[Block, ...]) -> list[Block]:
    stack = stored.stacks.get(name)
    return [block for block in blocks if stack is None or stack.done.left(block)]


def _cut(study: Study, stored: StoredRun, ended: Mapping[str, str]) -> tuple[int, ...]:
    """Numbers of the blocks that have begun and will be completed after the pause."""
    found = set()
    for blocks in rounds_of(study):
        for block in blocks:
            timed = range(block.first, block.first + block.count)
            numbers = {
                stack.done.timed[n]
                for stack in stored.stacks.values()
                for n in timed
                if n in stack.done.timed
            }
            going = [name for name in study.stacks if name not in ended]
            if numbers and any(_blocks_left(stored, name, (block,)) for name in going):
                found.add(min(numbers))
    return tuple(sorted(found))


def checked_before(stored: StoredRun, left: Mapping[str, Engine]) -> Checked:
    """What is known of the stacks that are not started again."""
    return Checked(
        facts={
            name: stack.facts
            for name, stack in stored.stacks.items()
            if stack.facts and name not in left
        }
    )


def _before(stored: StoredRun, ended: Mapping[str, str], again: frozenset[str]) -> Before:
    return Before(
        done={name: stack.done for name, stack in stored.stacks.items()},
        failures={
            name: 0 if name in again else stack.failures for name, stack in stored.stacks.items()
        },
        ended=ended,
        alone=stored.late | again,
        spent_s=stored.spent_s,
        visits_s=stored.steps_s,
    )

"""An interrupted load goes on: the levels that are left, a cut one whole.

What counts of a level is its steady part, between the ramp and the end. Two halves have two
ramps and no steady part in common, so a level that was cut is made again; its requests are kept
under a number below zero, and stand in no figure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from python_runner.common.errors import UsageError
from python_runner.common.host import describe_host
from python_runner.engines.contract import Engine
from python_runner.measure.load.plan import LoadPlan
from python_runner.run.building import build, without
from python_runner.run.compare import get_ready
from python_runner.run.load import Loaded, Loading, check_open_files, find_served, prompts_mark
from python_runner.run.load_plan import levels_of, load_of, plan_of_model
from python_runner.run.preflight import Checked, Preflight, work_of_load
from python_runner.run.resume.allowed import study_of, with_its_model
from python_runner.run.resume.comparison import Ways, checked_before
from python_runner.run.resume.same import (
    refuse_other_facts,
    refuse_other_mark,
    refuse_other_model,
    refuse_other_place,
)
from python_runner.store import LoadRunRecorder, Store
from python_runner.store.going_on import GoingOn
from python_runner.store.interrupted import StoredRun
from python_runner.study import Study


def resume_load(stored: StoredRun, store: Store, ways: Ways, *, again: bool = False) -> Loaded:
    """Make the levels that an interrupted load lacks.

    Args, errors: as `resume_comparison`; UsageError too for a load on somebody else's server.
    """
    refuse_other_place(stored)
    study = study_of(stored)
    if stored.asked.get("outside"):
        raise UsageError(
            f"run {stored.run_id} puts its load on a server that somebody else runs, which may be "
            "another one by now",
            hint="Type its command again: what was finished is kept as it is.",
        )
    if limit := check_open_files(load_of(study)):
        ways.progress.say(limit)
    engines = find_served(study)
    ended = {} if again else stored.ended
    left = {name: engines[name] for name in _left(study, stored, ended)}
    tried_again = {name: stored.ended[name] for name in stored.ended.keys() & left.keys()}
    going_on = GoingOn(stored=stored, again=tried_again)
    if not left:
        with LoadRunRecorder(store, study, describe_host(), going_on=going_on):
            return Loaded(run_id=stored.run_id, broken=ended)
    prepared = _prepare(study, stored, left, ways)
    with LoadRunRecorder(store, study, describe_host(), going_on=going_on) as recorder:
        if ways.on_begin is not None:
            ways.on_begin(recorder.run_id)
        failed = _measure(prepared, left, recorder, stored, ways)
    return Loaded(
        run_id=stored.run_id,
        broken={**ended, **failed, **prepared.left_out},
        not_built=frozenset(prepared.missing),
    )


def _left(study: Study, stored: StoredRun, ended: Mapping[str, str]) -> list[str]:
    levels = len(levels_of(load_of(study)))
    done = {name: stack.levels for name, stack in stored.stacks.items()}
    return [name for name in study.stacks if name not in ended and done.get(name, 0) < levels]


@dataclass(frozen=True, kw_only=True)
class _Prepared:
    plan: LoadPlan
    preflight: Preflight
    checked: Checked
    missing: Mapping[str, str]
    """Stacks that could not be built, with the reason."""

    @property
    def left_out(self) -> dict[str, str]:
        return {**self.missing, **self.checked.failed}


def _prepare(study: Study, stored: StoredRun, left: Mapping[str, Engine], ways: Ways) -> _Prepared:
    """All that comes before the first request. Raises UnfairError if anything has changed."""
    ready = get_ready(with_its_model(study, stored), left, ways.progress)
    refuse_other_model(stored, ready.settings)
    log = ways.logs / "tokenizer.log"
    plan = plan_of_model(study, ready.source, ready.settings, log=log, progress=ways.progress)
    refuse_other_mark(stored, prompts_mark(plan))
    waiting = without(left, left.keys() - ready.waiting)
    missing = {**ready.missing, **build(waiting, ways.progress)}
    preflight = Preflight(
        study=study,
        settings=ready.settings,
        work=work_of_load(study, plan),
        read=(plan.first,),
        logs=ways.logs / "preflight",
        progress=ways.progress,
    )
    checked = preflight.check(without(left, missing), checked_before(stored, left))
    refuse_other_facts(stored, left, checked.facts)
    return _Prepared(plan=plan, preflight=preflight, checked=checked, missing=missing)


def _measure(
    prepared: _Prepared,
    left: Mapping[str, Engine],
    recorder: LoadRunRecorder,
    stored: StoredRun,
    ways: Ways,
) -> dict[str, str]:
    """Every stack that has levels left; returns why stacks ended before their time."""
    recorder.keep_facts(prepared.checked.facts, prepared.checked.unfair)
    recorder.keep_asked(prompts=prompts_mark(prepared.plan))
    run = Loading(
        settings_of=prepared.preflight.settings_of,
        plan=prepared.plan,
        recorder=recorder,
        logs=ways.logs / f"run-{recorder.run_id:04d}",
        progress=ways.progress,
        done={name: stack.levels for name, stack in stored.stacks.items()},
    )
    failed: dict[str, str] = {}
    for name, candidate in left.items():
        run.expect(name, candidate)
    for name, candidate in left.items():
        if name in prepared.left_out:
            run.leave_out(candidate, prepared.left_out[name])
        elif reason := run.measure(name, candidate):
            failed[name] = reason
    return failed

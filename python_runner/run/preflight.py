"""Before anything is timed: look at each stack once, and hold them against each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from python_runner.common.errors import UnfairError, reason_of
from python_runner.common.host import physical_cores
from python_runner.common.progress import Progress
from python_runner.common.variants import knobs_of
from python_runner.engines.as_shipped import shipped_context, shipped_threads
from python_runner.engines.contract import Engine, EngineSpec, LaunchSettings
from python_runner.engines.tuning import settings_of as really_used
from python_runner.measure import FailedAttempt, Plan, Prompt
from python_runner.measure.attempts import Trying, somehow
from python_runner.measure.criteria import BLOCKING_KEYS, reading_facts
from python_runner.measure.facts import Known, Seen, Work, reading_of
from python_runner.measure.fairness import Facts, facts_of, findings_of, require_fair
from python_runner.measure.load.plan import LoadPlan
from python_runner.measure.preflight import look_at
from python_runner.models import Model, Source
from python_runner.run.preparation import precision_of
from python_runner.study import Study

_REFERENCE = "the model's tokenizer"
_AS_SHIPPED = "shipped"


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What the stacks that were looked at are."""

    facts: Mapping[str, Facts] = field(default_factory=dict)
    """Stack name to its facts."""
    unfair: tuple[str, ...] = ()
    """Keys of the criteria in which they differ and were allowed to."""
    failed: Mapping[str, str] = field(default_factory=dict)
    """Stacks that are left out, with the reason."""
    refused: frozenset[str] = frozenset()
    """Those of them that would do other work than the others."""
    attempts: tuple[FailedAttempt, ...] = ()
    """Looks that failed and were taken again."""


@dataclass(frozen=True, kw_only=True)
class Preflight:
    """Looks at stacks before they are timed."""

    study: Study
    settings: LaunchSettings
    """What all stacks are given, but for what is as shipped."""
    work: Work
    read: tuple[Prompt, ...]
    """The prompts that every engine is to read."""
    logs: Path
    progress: Progress

    def settings_of(self, spec: EngineSpec) -> LaunchSettings:
        """What this stack is started with."""
        return settings_of(self.study, spec, self.settings)

    def check(self, engines: Mapping[str, Engine], before: Checked | None = None) -> Checked:
        """Look at `engines`, and compare them with each other and with those looked at before.

        Raises:
            UnfairError: they differ in what must be equal and is not allowed to differ.
        """
        known = before or Checked()
        facts, failed = dict(known.facts), dict(known.failed)
        attempts = list(known.attempts)
        for name, candidate in engines.items():
            common = self.settings_of(candidate.spec)
            settings = really_used(candidate, common)
            try:
                seen = self._look_somehow(name, candidate, common, attempts)
            except Exception as failure:  # whatever it is, the others go on
                failed[name] = reason_of(failure)
                self.progress.say(f"{candidate.spec.title} is left out: {failed[name]}")
                continue
            known_of = Known(spec=candidate.spec, settings=settings, work=self.work, seen=seen)
            if reason := self._reads_otherwise(name, facts_of(known_of)):
                failed[name] = reason
                self.progress.say(f"{candidate.spec.title} is left out: {reason}")
                continue
            facts[name] = facts_of(known_of)
        unfair = require_fair(self._with_reference(facts), allowed_in(self.study))
        for finding in findings_of(facts):
            if finding.criterion.key in set(unfair) - set(known.unfair):
                self.progress.say(
                    f"Not equal, and allowed to be: {finding.criterion.title}: {finding.in_words()}"
                )
        return replace(known, facts=facts, unfair=unfair, failed=failed, attempts=tuple(attempts))

    def check_late(self, engines: Mapping[str, Engine], before: Checked) -> Checked:
        """Look at stacks that were built when others had been timed.

        If they differ they are left out, so that the others' figures stand.
        """
        try:
            return self.check(engines, before)
        except UnfairError as error:
            reason = reason_of(error)
            self.progress.say(f"{', '.join(engines)} left out: {reason}")
            return replace(
                before,
                failed={**before.failed, **dict.fromkeys(engines, reason)},
                refused=before.refused | engines.keys(),
            )

    def _look_somehow(
        self,
        name: str,
        candidate: Engine,
        settings: LaunchSettings,
        attempts: list[FailedAttempt],
    ) -> Seen:
        """As `_look`; one that fails is taken again as often as the study says, and noted."""
        trying = Trying(
            stack=name,
            block=0,
            retries=self.study.retries,
            keep=attempts.append,
            say=self.progress.say,
        )
        return somehow(trying, lambda: self._look(name, candidate, settings))

    def _look(self, name: str, candidate: Engine, settings: LaunchSettings) -> Seen:
        why = "nothing is timed before it is known to be the same work"
        log = self.logs / f"{name}.log"
        log.unlink(missing_ok=True)  # of another run
        with (
            self.progress.task(f"Looking at {candidate.spec.title}", why=why),
            candidate.start(settings, log) as running,
        ):
            return look_at(running, self.read, timeout_s=self.study.timeout_s)

    def _reads_otherwise(self, name: str, facts: Facts) -> str:
        """Why a stack of a published study is left out: it reads prompts as other tokens.

        Such a study tries what a machine has, model by model, and one stack that cannot read one
        model's tokenizer shall not cost the others their row. Elsewhere it is said before
        anything is timed.
        """
        if self.study.published is None:
            return ""
        try:
            require_fair(self._with_reference({name: facts}), allowed_in(self.study))
        except UnfairError as error:
            return error.message
        return ""

    def _with_reference(self, facts: Mapping[str, Facts]) -> Mapping[str, Facts]:
        """With the reading by which all prompts were made, among those of the engines."""
        return {_REFERENCE: reading_facts(reading_of([each.ids for each in self.read])), **facts}


def work_of(plan: Plan) -> Work:
    """What the requests of a comparison ask."""
    return Work(
        prompts=plan.prompts,
        new_tokens=plan.new_tokens,
        template=plan.template,
        sampling=plan.sampling,
        may_end=plan.may_end,
    )


def work_of_load(study: Study, plan: LoadPlan) -> Work:
    """What the requests of a load ask."""
    return Work(
        prompts=tuple(prompt for level in plan.prompts for prompt in level),
        new_tokens=plan.new_tokens,
        template=plan.template,
        sampling=plan.sampling,
        may_end=plan.may_end,
        in_turn=study.load is not None and study.load.prompts.kind == "file",
    )


def settings_of(study: Study, spec: EngineSpec, common: LaunchSettings) -> LaunchSettings:
    """What a stack is started with: what all get, or as shipped what its users get.

    What the study or the command line names holds for all in either case.
    """
    if study.precision != _AS_SHIPPED:
        return common
    own_context = None
    if "context" not in study.model_fields_set:
        own_context = shipped_context(spec.shipped, common.model)
    return replace(
        common,
        threads=study.threads or shipped_threads(spec.shipped),
        context=own_context or common.context,
    )


def allowed_in(study: Study) -> tuple[str, ...]:
    """Keys of the criteria in which its stacks may differ.

    What a variant turns on purpose is allowed without being asked for; it is marked all the same.
    """
    turned = (knob for name in study.stacks for knob in knobs_of(name))
    meant = (knob for knob in turned if knob in BLOCKING_KEYS)
    return tuple(dict.fromkeys((*study.allow_unfair, *meant)))


def check_what_is_asked(study: Study, source: Source, engines: Mapping[str, Engine]) -> None:
    """What can be known before anything is built or started.

    Raises:
        UnfairError: stacks would differ in what must be equal and is not allowed to differ.
    """
    model = Model(
        name=source.name,
        label=source.label,
        is_synthetic=source.is_synthetic,
        folder=source.folder,
        source_sha256="",
        gguf={},
        has_safetensors=source.gguf is None,
    )
    common = LaunchSettings(
        model=model,
        precision=precision_of(source, study),
        device=study.device,
        threads=study.threads or physical_cores(),
        context=study.context,
    )
    require_fair(
        {
            name: facts_of(
                Known(
                    spec=each.spec,
                    settings=really_used(each, settings_of(study, each.spec, common)),
                )
            )
            for name, each in engines.items()
        },
        allowed_in(study),
    )

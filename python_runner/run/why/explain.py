"""Plan the ablations of a run, run them as runs of the ordinary kind, and say what is special."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from python_runner.common.errors import UsageError
from python_runner.common.host import describe_host
from python_runner.common.progress import Progress
from python_runner.engines.checkup import survey
from python_runner.engines.table import engine
from python_runner.measure import NoiseProbe
from python_runner.run.compare import Comparison, compare
from python_runner.run.preparation import choose_source
from python_runner.run.sizes import needs_of
from python_runner.run.why.asked import AskedRun, asked_run, weights_of, with_changes
from python_runner.run.why.budget import Choice, Chosen, Costs, choose, stacks_of
from python_runner.run.why.candidates import find_candidates
from python_runner.store import Store
from python_runner.study import Study

SHARED_PART = 0.75
"""Of a prompt, where a prompt cache is to have something to keep."""


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """What is to be run for a run that is asked about."""

    asked: AskedRun
    choice: Choice
    budget_s: float

    @property
    def studies(self) -> tuple[Study, ...]:
        """One for each run: that of all ablations, and one of prompts that begin alike."""
        taken = self.choice.taken
        parts = {
            alike: [each for each in taken if each.candidate.cause.shares_prefix is alike]
            for alike in (False, True)
        }
        return tuple(
            _study(self.asked, part, begins_alike=alike) for alike, part in parts.items() if part
        )


def plan_explanation(
    store: Store, run_id: int, *, budget_s: float, only: Sequence[str] = ()
) -> Explanation:
    """Choose the most telling ablations that fit into the budget.

    Raises:
        UnknownNameError: a cause that there is not.
        UsageError: the run cannot be explained (see `asked_run`), or no ablation applies to it.
    """
    asked = asked_run(store, run_id)
    candidates = find_candidates(asked.stacks, only=only)
    if not candidates:
        stacks = ", ".join(str(each.name) for each in asked.stacks)
        raise UsageError(
            f"no ablation {'of these causes ' if only else ''}can be made of {stacks}",
            hint="`polystack engines` lists the knobs that each engine has.",
        )
    costs = Costs(work=asked.work, known=asked.figures, once=_once(asked.study))
    return Explanation(asked=asked, choice=choose(candidates, costs, budget_s), budget_s=budget_s)


@dataclass(frozen=True, kw_only=True)
class Explained:
    """What became of it."""

    runs: tuple[int, ...]
    broken: Mapping[str, str] = field(default_factory=dict)
    """Stack to why it gave no full set."""


def explain(
    explanation: Explanation,
    store: Store,
    *,
    logs: Path,
    progress: Progress,
    probe: NoiseProbe | None = None,
    run_study: Callable[..., Comparison] = compare,
) -> Explained:
    """Run what was planned; each run is kept, linked with the asked one by its study.

    Raises what `compare` raises; KeyboardInterrupt after what is done has been kept.
    """
    for word in _other_conditions(explanation.asked):
        progress.say(word)
    runs: list[int] = []
    broken: dict[str, str] = {}
    for study in explanation.studies:
        outcome = run_study(study, store, logs=logs, progress=progress, probe=probe)
        runs.append(outcome.run_id)
        broken |= outcome.broken
        if weights_of(store, outcome.run_id) - {explanation.asked.source_sha256}:
            progress.say(
                f"The weights are not those of run {explanation.asked.run_id}: they have changed "
                "since then."
            )
    return Explained(runs=tuple(runs), broken=broken)


def _study(asked: AskedRun, chosen: Sequence[Chosen], *, begins_alike: bool) -> Study:
    candidates = [each.candidate for each in chosen]
    study = asked.study
    changes: dict[str, object] = {
        "name": "why",
        "title": f"Why run {asked.run_id} came out as it did",
        "stacks": stacks_of(candidates),
        "ablations": [each.ablation.model_dump() for each in candidates],
        "explains": asked.run_id,
    }
    if begins_alike:
        shared = int(study.workload.prompt_tokens * SHARED_PART)
        begin = {"shared_prefix_tokens": shared, "prompts": None}
        changes["workload"] = study.workload.model_dump() | begin
    return with_changes(study, changes)


def _once(study: Study) -> Callable[[str], float]:
    """Seconds to build a stack, and to make the weights that it reads, where that is still due."""
    source = choose_source(study)

    def seconds(stack: str) -> float:
        candidate = engine(stack)
        try:
            building = survey(candidate).expected_s
        except OSError:
            building = 0.0  # building it will say what is wrong
        making = needs_of(source, study, {stack: candidate}).making_s
        return building + (making or 0.0)

    known: dict[str, float] = {}

    def once(stack: str) -> float:
        if stack not in known:
            known[stack] = seconds(stack)
        return known[stack]

    return once


def _other_conditions(asked: AskedRun) -> Iterator[str]:
    """What is not as it was in the asked run: the ablations hold for here and now."""
    cpu = str(describe_host().get("cpu", ""))
    if cpu != asked.cpu:
        yield (
            f"Run {asked.run_id} was measured on another machine ({asked.cpu or 'not known'}): "
            f"what follows holds for this one ({cpu or 'not known'})."
        )

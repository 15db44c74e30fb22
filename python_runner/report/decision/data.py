"""A decision with the runs that it rests on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from python_runner.analyse.decision import Decision
from python_runner.analyse.summary import summarise
from python_runner.report.facts import RunFacts, run_facts
from python_runner.report.load_data import load_data
from python_runner.report.load_facts import load_facts
from python_runner.report.units import TO
from python_runner.store import Frames, RunKind


@dataclass(frozen=True, kw_only=True)
class RunLine:
    """One run that figures come from."""

    run_id: int
    conditions: str
    warnings: tuple[str, ...]

    @property
    def command(self) -> str:
        """What shows it whole."""
        return f"polystack show {self.run_id}"


@dataclass(frozen=True, kw_only=True)
class DecisionData:
    """All that a report of a decision tells."""

    decision: Decision
    runs: tuple[RunLine, ...]
    warnings: tuple[str, ...] = ()
    """Conditions in which the runs differ."""
    command: str = "polystack team"
    """What was typed."""

    @property
    def marks(self) -> tuple[str, ...]:
        """What must stand beside every figure, each once."""
        own = (text for run in self.runs for text in run.warnings)
        return tuple(dict.fromkeys((*own, *self.warnings)))


def decision_data(
    decision: Decision, frames: Frames, warnings: Sequence[str] = (), command: str = ""
) -> DecisionData:
    """Put a decision together with the conditions of its runs."""
    return DecisionData(
        decision=decision,
        runs=tuple(_runs(frames)),
        warnings=tuple(warnings),
        command=command or "polystack team",
    )


def _runs(frames: Frames) -> Iterator[RunLine]:
    for run_id in frames.runs["run_id"]:
        mine = _of_run(frames, run_id)
        facts = _facts(mine)
        status = str(mine.runs.iloc[0]["status"])
        unfinished = () if status == "complete" else (f"Run {run_id} is not complete ({status}).",)
        yield RunLine(
            run_id=int(run_id),
            conditions=f"{facts.model}. {facts.work}. {facts.course}.",
            warnings=(*facts.warnings, *unfinished),
        )


def _of_run(frames: Frames, run_id: int) -> Frames:
    tables = ("runs", "samples", "conditions", "load_levels", "load_requests")
    mine = {name: getattr(frames, name) for name in tables}
    return replace(
        frames, **{name: table[table["run_id"] == run_id] for name, table in mine.items()}
    )


def _facts(mine: Frames) -> RunFacts:
    if mine.runs.iloc[0]["kind"] == RunKind.LOAD.value:
        return load_facts(load_data(mine))
    summary = summarise(mine.samples, mine.conditions)
    return run_facts(mine.samples, mine.conditions, mine.runs, summary)


def places(best: int, worst: int) -> str:
    """`1`, or `1-3` with an en dash where the ranges leave several places open."""
    return str(best) if best == worst else f"{best}{TO}{worst}"

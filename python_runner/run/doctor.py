"""Ask every stage about itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from python_runner.common.build.checkup import CpuCheckup, ToolsCheckup
from python_runner.common.checkup import Checkup, Finding, State
from python_runner.common.errors import PolystackError, reason_of
from python_runner.common.machine import MachineCheckup
from python_runner.engines.checkup import EnginesCheckup
from python_runner.models.checkup import ModelsCheckup
from python_runner.run.preparation import choose_source
from python_runner.store.checkup import StoreCheckup
from python_runner.study import load_study

DEFAULT_STUDY = "languages"


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """What was found, by part of the workbench."""

    sections: tuple[tuple[str, tuple[Finding, ...]], ...]

    @property
    def obstacles(self) -> tuple[Finding, ...]:
        """What keeps a default stack from running."""
        return tuple(
            finding
            for _, findings in self.sections
            for finding in findings
            if finding.is_needed and finding.state is State.MISSING
        )


def checkups(*, in_full: bool = False) -> tuple[Checkup, ...]:
    """Everything that is asked, in the order in which it is told."""
    return (
        MachineCheckup(),
        ToolsCheckup(),
        CpuCheckup(),
        EnginesCheckup(folds_gpu=not in_full),
        ModelsCheckup(choose_source(load_study(DEFAULT_STUDY)).name),
        StoreCheckup(),
    )


def examine(asked: Sequence[Checkup] | None = None, *, in_full: bool = False) -> Diagnosis:
    """What all parts say of themselves; builds and starts nothing.

    Args:
        asked: what is asked; by default everything.
        in_full: without a GPU, too, what each stack lacks that only a GPU runs.
    """
    parts = checkups(in_full=in_full) if asked is None else asked
    return Diagnosis(sections=tuple((part.title, tuple(_told_by(part))) for part in parts))


def _told_by(part: Checkup) -> Iterator[Finding]:
    """What a part finds. If it cannot end, the others are asked all the same."""
    try:
        yield from part.look()
    except (OSError, PolystackError) as error:
        yield Finding(
            subject="not looked at",
            state=State.MISSING,
            detail=reason_of(error),
            mend="Run it again; if it stays, that file or program is what to mend.",
        )

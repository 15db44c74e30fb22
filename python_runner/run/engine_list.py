"""How each engine stands on this machine, beside what it is: the rows of `polystack engines`."""

from __future__ import annotations

from dataclasses import dataclass, replace

from python_runner.common.checkup import Finding, State
from python_runner.common.errors import PolystackError
from python_runner.engines.checkup import EnginesCheckup
from python_runner.engines.overview import UNKNOWN, fact_of, formats_of
from python_runner.engines.table import engine
from python_runner.engines.versions import version_here


@dataclass(frozen=True, kw_only=True)
class EngineLine:
    """What is told of one engine. `?`: not known."""

    name: str
    language: str = UNKNOWN
    path: str = UNKNOWN
    version: str = ""
    """What would run here; empty where the engine is not here."""
    formats: tuple[str, ...] = ()
    """What it makes of each of `overview.WORDS`; empty where that is not known."""
    hardware: str = UNKNOWN
    """What its project computes on."""
    licence: str = UNKNOWN
    state: State
    expected_s: float = 0.0
    """Of one that is still to be built: about how long that takes, in seconds."""
    mend: str = ""
    """What to do where it is not here."""

    @property
    def is_here(self) -> bool:
        """Whether it runs when it is asked for, if need be after a build."""
        return self.state in {State.READY, State.LATER}


def engine_lines() -> tuple[EngineLine, ...]:
    """All engines, in the order of their table. Builds and starts none.

    Without those of a user's file that has a mistake: nothing is known of them.
    """
    found = EnginesCheckup().look()
    return tuple(_line(finding) for finding in found if finding.state is not State.BROKEN)


def _line(finding: Finding) -> EngineLine:
    name = finding.subject
    unknown = EngineLine(
        name=name, state=finding.state, expected_s=finding.expected_s, mend=finding.mend
    )
    try:
        spec = engine(name).spec
    except PolystackError:  # a plug-in that cannot be imported: what is wrong is in `mend`
        return unknown
    return replace(
        unknown,
        language=spec.language.value,
        path=spec.reach.value,
        version=(version_here(name) or UNKNOWN) if unknown.is_here else "",
        formats=formats_of(spec),
        hardware=fact_of(name, "hardware"),
        licence=fact_of(name, "licence"),
    )

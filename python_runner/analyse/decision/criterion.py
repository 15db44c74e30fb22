"""What a criterion is: a formula on data, and what its values are worth."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from python_runner.analyse.decision.measures import Measure
from python_runner.analyse.decision.scale import SHARE, Direction, Scale, ScaleKind, ratio_scale
from python_runner.study.team import Team

_TENFOLD = 10.0


def _always(_team: Team) -> bool:
    return True


def _no_limit(_team: Team) -> float | None:
    return None


@dataclass(frozen=True, kw_only=True)
class Criterion:
    """One thing that counts."""

    key: str
    title: str
    unit: str
    direction: Direction
    formula: str
    """In words and symbols, for the reader."""
    source: str
    """Where the data come from."""
    measure: Measure
    weight: float
    """What it weighs unless the team says otherwise; all together about 100."""
    kind: ScaleKind = ScaleKind.RATIO
    span: float = _TENFOLD
    """How many times worse than the best a value is that is worth nothing."""
    floor: float = 0.0
    """Less than that makes no difference."""
    limit: Callable[[Team], float | None] = _no_limit
    limit_name: str = ""
    """The key of the team file whose value is worth nothing; empty: there is none."""
    is_asked: Callable[[Team], bool] = _always
    """Whether it weighs anything by default for this team."""
    asked_when: str = ""
    on_hardware: bool = False
    """Whether a figure of another kind of hardware says nothing."""
    is_latency: bool = False

    def scale(self, values: Iterable[float], team: Team) -> Scale | None:
        """Its value function, from the values of all stacks; None: there is nothing known."""
        if self.kind is ScaleKind.SHARE:
            return SHARE
        return ratio_scale(
            self.direction,
            self.span,
            values=values,
            floor=self.floor,
            limit=self.limit(team),
        )

    @property
    def value_function(self) -> str:
        """How a value becomes a utility, in words."""
        if self.kind is ScaleKind.SHARE:
            return "the value itself"
        if self.limit_name:
            limited = f"0 at `{self.limit_name}`, 1 at {self._far} that; without one, "
        else:
            limited = ""
        floor = f" ({self.floor:,.10g} or less is the same)" if self.floor else ""
        is_lower = self.direction is Direction.LOWER
        best = "lowest" if is_lower else "highest"
        nothing = f"{self.span:g} times that" if is_lower else f"a {self.span:g}th of that"
        return f"{limited}1 at the {best} measured{floor}, 0 at {nothing}; log scale between"

    @property
    def _far(self) -> str:
        return (
            f"a {self.span:g}th of" if self.direction is Direction.LOWER else f"{self.span:g} times"
        )

"""What the judge says: a verdict on each test, each claim, and a run as a whole."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum

from python_runner.study.claims import Claim, Claims


class ClaimVerdict(StrEnum):
    """Of a claim, under the conditions that were run."""

    SUPPORTED = "supported"
    REFUTED = "refuted"
    INCONCLUSIVE = "inconclusive"


class Unit(StrEnum):
    """What the number of an effect is."""

    RATIO = "ratio"
    """Left over right."""
    SHARE = "share"
    """Of iterations, or of a difference; 1 is all."""
    MS = "ms"
    TOKENS = "tokens"
    TOKENS_PER_S = "tokens/s"


@dataclass(frozen=True, kw_only=True)
class Effect:
    """The number behind a verdict."""

    of: str
    """What was put beside what, as `Ollama / llama-server`."""
    value: float
    low: float
    """The lower end of its 95 % interval, or of the range that was seen (`Unit.MS` and such)."""
    high: float
    unit: Unit = Unit.RATIO
    n: tuple[int, ...] = ()
    """Complete timed iterations of each side."""
    blocks: int = 0
    noise_floor: float | None = None
    floor_source: str = ""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What one test says, or one pair of stacks within it."""

    verdict: ClaimVerdict
    why: str
    effect: Effect | None = None
    missing: tuple[str, ...] = ()
    """Engines without which it cannot be judged."""
    users: tuple[int, ...] = ()
    """Levels of a load without which it cannot be judged."""
    seconds: float = 0.0
    """How long levels of a load would have to last to tell; 0: they are long enough."""
    is_out_of_scope: bool = False
    """Whether it is about another model or device than the run."""
    marks: tuple[str, ...] = ()
    """What changes how it may be read: a stand-in, HTTP on one side, weights of two kinds."""

    @classmethod
    def unknown(cls, why: str, *, missing: Sequence[str] = ()) -> Finding:
        """Nothing can be said, and why."""
        return cls(verdict=ClaimVerdict.INCONCLUSIVE, why=why, missing=tuple(missing))


@dataclass(frozen=True, kw_only=True)
class Part:
    """One test of a claim."""

    says: str
    finding: Finding


@dataclass(frozen=True, kw_only=True)
class ClaimJudgement:
    """One claim: supported if all its parts are, refuted if one is, else inconclusive."""

    claim: Claim
    parts: tuple[Part, ...]

    @property
    def verdict(self) -> ClaimVerdict:
        return worst(part.finding.verdict for part in self.parts)

    @property
    def deciding(self) -> Finding:
        """The finding on which the verdict rests: the first part that has it."""
        verdict = self.verdict
        return next(part.finding for part in self.parts if part.finding.verdict is verdict)

    @property
    def marks(self) -> tuple[str, ...]:
        """Those of all parts, each once."""
        return tuple(dict.fromkeys(mark for part in self.parts for mark in part.finding.marks))


@dataclass(frozen=True, kw_only=True)
class RunJudgement:
    """All claims, judged by one run."""

    run_id: int
    study: str
    claims: Claims
    judged: tuple[ClaimJudgement, ...]
    stacks: Mapping[str, str]
    """Each stack of the claims that was measured to the title of what was measured for it."""
    marks: tuple[str, ...] = ()
    """What holds for every verdict of this run."""
    missing: tuple[str, ...] = ()
    """Engines that the run would have to have for every claim to be judged."""
    users: tuple[int, ...] = ()
    """The same for levels of a load."""
    seconds: float = 0.0
    """How long they would have to last; 0: they are long enough."""
    conditions: Mapping[str, str] = field(default_factory=dict)
    """Under which the verdicts hold: model, precision, device, threads, machine ..."""

    def records(self) -> list[dict[str, object]]:
        """A row for each part: plain values, for a table or JSON; an effect that is not: None."""
        return [
            {
                "run_id": self.run_id,
                "claim": judged.claim.id,
                "part": number,
                "says": part.says,
                "claim_verdict": judged.verdict.value,
                "verdict": part.finding.verdict.value,
                "why": part.finding.why,
                "effect": _plain(part.finding.effect),
                "marks": list(part.finding.marks),
                "missing": list(part.finding.missing),
            }
            for judged in self.judged
            for number, part in enumerate(judged.parts, start=1)
        ]


def worst(verdicts: Iterable[ClaimVerdict]) -> ClaimVerdict:
    """Of parts that all have to hold: one refuted refutes, one unknown leaves it open."""
    found = set(verdicts)
    order = (ClaimVerdict.REFUTED, ClaimVerdict.INCONCLUSIVE, ClaimVerdict.SUPPORTED)
    return next(verdict for verdict in order if verdict in found)


def _plain(effect: Effect | None) -> dict[str, object] | None:
    if effect is None:
        return None
    finite = {
        name: None if isinstance(value, float) and math.isnan(value) else value
        for name, value in asdict(effect).items()
    }
    return {**finite, "unit": effect.unit.value, "n": list(effect.n)}

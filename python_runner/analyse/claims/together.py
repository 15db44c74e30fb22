"""One verdict over runs of several models, where a claim names the models that it is about.

Figures are never pooled: each run is judged by itself, and their verdicts are put together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from python_runner.analyse.claims.result import ClaimVerdict, Finding, RunJudgement, worst
from python_runner.analyse.claims.scope import is_about
from python_runner.study.claim_tests import Fails, Test, Untestable
from python_runner.study.claims import Claim


@dataclass(frozen=True, kw_only=True)
class Together:
    """What several runs say of one claim."""

    claim_id: str
    verdict: ClaimVerdict
    missing: tuple[str, ...]
    """Models that it names and no run is of."""


def together(judgements: Sequence[RunJudgement]) -> tuple[Together, ...]:
    """A verdict on each claim that names models, if there are several runs; else none.

    A part is *refuted* if a run refutes it, and *supported* if there is a run of each model that
    it names and all of these support it. A failure that is claimed of some models is supported
    by one of them, and refuted by runs of all of which none shows it.

    Args:
        judgements: of one claim file.
    """
    if len(judgements) < 2:
        return ()
    return tuple(_together(judgements))


def _together(judgements: Sequence[RunJudgement]) -> Iterator[Together]:
    for place, claim in enumerate(judgements[0].claims.claims):
        if not claim.scope.models and not any(test.models for test in claim.tests):
            continue
        verdicts: list[ClaimVerdict] = []
        missing: dict[str, None] = {}
        for number, test in enumerate(claim.tests):
            found = [(one, one.judged[place].parts[number].finding) for one in judgements]
            mine = [(one, finding) for one, finding in found if not finding.is_out_of_scope]
            lacking = _lacking(claim, test, [one for one, _ in mine])
            missing |= dict.fromkeys(lacking)
            verdicts.append(_part(test, [finding for _, finding in mine], lacking))
        yield Together(claim_id=claim.id, verdict=worst(verdicts), missing=tuple(missing))


def _lacking(claim: Claim, test: Test, judgements: Sequence[RunJudgement]) -> tuple[str, ...]:
    """Models that a part names and none of these runs is of."""
    if isinstance(test, Untestable):
        return ()
    models = [one.conditions.get("model", "") for one in judgements]
    named = test.models or claim.scope.models
    return tuple(each for each in named if not any(is_about([each], model) for model in models))


def _part(test: Test, findings: Sequence[Finding], lacking: Sequence[str]) -> ClaimVerdict:
    verdicts = [finding.verdict for finding in findings]
    if isinstance(test, Fails) and test.on == "some":
        if ClaimVerdict.SUPPORTED in verdicts:
            return ClaimVerdict.SUPPORTED
        shows_none = all(one.effect is not None and one.effect.value == 0 for one in findings)
        is_over = bool(findings) and not lacking and test.share is None and shows_none
        return ClaimVerdict.REFUTED if is_over else ClaimVerdict.INCONCLUSIVE
    if ClaimVerdict.REFUTED in verdicts:
        return ClaimVerdict.REFUTED
    is_whole = bool(verdicts) and not lacking
    return worst(verdicts) if is_whole else ClaimVerdict.INCONCLUSIVE

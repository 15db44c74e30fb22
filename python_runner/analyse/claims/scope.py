"""Whether a claim is about a run at all, and what it would take to test it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from python_runner.analyse.claims.apart import RunFrames
from python_runner.study.claim_tests import Test, Untestable
from python_runner.study.claims import Claim, StackOfClaims


def out_of_scope(
    claim: Claim, test: Test, stacks: Mapping[str, StackOfClaims], frames: RunFrames
) -> str:
    """Why a part of a claim says nothing about this run; empty: it does."""
    if isinstance(test, Untestable):
        return ""  # no other run could test it either
    models = {str(name) for name in frames.conditions["model"]}
    devices = {str(name) for name in frames.conditions["device"]}
    about = test.models or claim.scope.models
    strange = []
    if about and not any(is_about(about, name) for name in models):
        strange.append((_or(about), _or(sorted(models))))
    if claim.scope.devices and not devices <= set(claim.scope.devices):
        strange.append((_or(claim.scope.devices), _or(sorted(devices))))
    if not strange:
        return ""
    theirs, ours = (" on ".join(each) for each in zip(*strange, strict=True))
    return f"it is about {theirs}, and this run is of {ours}; it takes {needs(claim, test, stacks)}"


def is_about(parts: Iterable[str], model: str) -> bool:
    """Whether one of these parts of names is in the model's."""
    return any(part.lower() in model.lower() for part in parts)


def needs(claim: Claim, test: Test, stacks: Mapping[str, StackOfClaims]) -> str:
    """Engines, model and machine without which nobody can test it."""
    engines = [f"{stacks[name].title} ({stacks[name].engines[0]})" for name in test.names]
    models = test.models or claim.scope.models
    parts = [", ".join(engines), _or(models) if models else "", claim.scope.hardware]
    return "; ".join(part for part in parts if part)


def _or(names: Iterable[str]) -> str:
    return " or ".join(names)

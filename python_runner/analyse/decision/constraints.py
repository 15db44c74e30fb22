"""What a stack must be. Whatever is known to break one is out, with the reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from python_runner.analyse.decision.figures import Figure, StackFigures
from python_runner.study.team import Team

_GB = 1e9
_REACHES = {"serve": "served", "embed": "embedded"}
_GPUS = {"cuda", "rocm", "hip", "metal", "vulkan", "sycl", "xpu"}

TARGETS: Mapping[str, tuple[str, str]] = {
    "ttft": ("TTFT", "ttft_ms"),
    "users_ttft": ("TTFT (p95) with all users", "ttft_ms"),
    "e2e": ("E2E latency", "e2e_ms"),
}
"""Criteria that a target is held against: what it is called, and its key in `serves`."""


@dataclass(frozen=True, kw_only=True)
class Breach:
    """A constraint that a stack is known to break."""

    what: str
    """`target`, `memory`, `licence`, `language`, `path` or `hardware`."""
    reason: str
    miss: float = 1.0
    """Of a target: how many times too slow, at the best end of the interval."""


@dataclass(frozen=True, kw_only=True)
class Checked:
    """One stack, held against all constraints."""

    breaches: tuple[Breach, ...]
    open_questions: tuple[str, ...]
    """Constraints that nobody knows about; they exclude nothing."""


def check_stack(stack: StackFigures, team: Team, figures: Mapping[str, Figure]) -> Checked:
    """Hold a stack against the team's constraints.

    Args:
        stack: which.
        team: whose.
        figures: by criterion, as `criteria.figure_of` gives them.
    """
    found = [
        *_path(stack, team),
        *_language(stack, team),
        *_licence(stack, team),
        *_hardware(stack, team),
        *_memory(team, figures["memory"]),
        *_targets(team, figures),
    ]
    return Checked(
        breaches=tuple(one for one in found if isinstance(one, Breach)),
        open_questions=tuple(one for one in found if isinstance(one, str)),
    )


_Finding = Iterator[Breach | str]


def _path(stack: StackFigures, team: Team) -> _Finding:
    wanted = _REACHES.get(team.constraints.must)
    if wanted and stack.reach != wanted:
        yield Breach(what="path", reason=f"is {stack.reach}, and must be {wanted}")


def _language(stack: StackFigures, team: Team) -> _Finding:
    allowed = team.constraints.languages
    if allowed and stack.language not in allowed:
        yield Breach(what="language", reason=f"is in {stack.language}, not {' or '.join(allowed)}")


def _licence(stack: StackFigures, team: Team) -> _Finding:
    allowed = team.constraints.licences
    if not allowed:
        return
    fact = stack.facts.get("licence")
    if fact is None:
        yield "its licence is not in the catalogue"
    elif not set(fact.values) <= set(allowed):
        reason = f"has the licence {', '.join(fact.values)}, not {' or '.join(allowed)}"
        yield Breach(what="licence", reason=f"{reason} ({fact.source})")


def _hardware(stack: StackFigures, team: Team) -> _Finding:
    fact = stack.facts.get("hardware")
    if fact is None:
        if team.operations.hardware == "gpu":
            yield "whether it runs on a GPU is not in the catalogue"
        return
    fits = {"cpu"} if team.operations.hardware == "cpu" else _GPUS
    if not fits & set(fact.values):
        runs = ", ".join(fact.values)
        yield Breach(what="hardware", reason=f"runs on {runs} by its own word ({fact.source})")


def _memory(team: Team, peak: Figure) -> _Finding:
    limit = team.constraints.memory_gb
    if limit is None:
        return
    if not peak.is_known:
        yield f"its memory is not known: {peak.why_unknown}"
    elif peak.low > limit * _GB:
        reason = f"takes {peak.value / _GB:.3g} GB, and may take {limit:g} GB"
        yield Breach(what="memory", reason=reason, miss=peak.low / (limit * _GB))


def _targets(team: Team, figures: Mapping[str, Figure]) -> _Finding:
    for key, (name, target_key) in TARGETS.items():
        target = getattr(team.serves, target_key)
        figure = figures[key]
        if target is None or (key == "users_ttft" and team.serves.users == 1):
            continue
        met = f"whether its {name} meets the target of {target:,.6g} ms"
        if not figure.is_known:
            yield f"{met} is not known: {figure.why_unknown}"
        elif figure.low > target:
            reason = f"{name} {figure.value:,.0f} ms, target {target:,.6g} ms"
            yield Breach(what="target", reason=reason, miss=figure.low / target)
        elif figure.high > target:
            yield f"{met} is open: it lies between {figure.low:,.0f} and {figure.high:,.0f} ms"

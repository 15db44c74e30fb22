"""The criteria of a decision: each a formula on data. The one place where they are.

docs/team.md shows this table; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from python_runner.analyse.decision import measures
from python_runner.analyse.decision.criterion import Criterion
from python_runner.analyse.decision.figures import Figure, StackFigures
from python_runner.analyse.decision.scale import Direction, ScaleKind
from python_runner.study.team import Team

_LOWER, _HIGHER = Direction.LOWER, Direction.HIGHER
_HUNDREDFOLD = 100.0


CRITERIA: tuple[Criterion, ...] = (
    Criterion(
        key="people",
        title="Who can keep it running",
        unit="share",
        direction=_HIGHER,
        kind=ScaleKind.SHARE,
        formula="people who know the stack's language at `operations.level` or better / people",
        source="team file",
        measure=measures.able_share,
        weight=15,
    ),
    Criterion(
        key="on_call",
        title="Who can mend it at night",
        unit="share",
        direction=_HIGHER,
        kind=ScaleKind.SHARE,
        formula="the same, of those on call",
        source="team file",
        measure=measures.able_on_call_share,
        weight=15,
        is_asked=lambda team: team.on_call > 0,
        asked_when="somebody is on call",
    ),
    Criterion(
        key="ttft",
        title="First token, one request",
        unit="ms",
        direction=_LOWER,
        formula="median TTFT of one request at a time; for a prompt of another length, between "
        "that and that in proportion",
        source="run of `compare`",
        measure=measures.first_token,
        weight=10,
        limit=lambda team: team.serves.ttft_ms,
        limit_name="serves.ttft_ms",
        on_hardware=True,
        is_latency=True,
    ),
    Criterion(
        key="e2e",
        title="Whole answer, one request",
        unit="ms",
        direction=_LOWER,
        formula="median E2E latency; for an answer of another length, TTFT + (tokens - 1) x TPOT",
        source="run of `compare`",
        measure=measures.whole_answer,
        weight=10,
        limit=lambda team: team.serves.e2e_ms,
        limit_name="serves.e2e_ms",
        on_hardware=True,
        is_latency=True,
    ),
    Criterion(
        key="users_ttft",
        title="First token, all users (p95)",
        unit="ms",
        direction=_LOWER,
        formula="95th percentile of TTFT at `serves.users` at once, from the least to the most "
        "that was seen where the requests are too few for one (59); between two measured levels, "
        "between theirs",
        source="run of `load`",
        measure=measures.first_token_at_users,
        weight=10,
        limit=lambda team: team.serves.ttft_ms,
        limit_name="serves.ttft_ms",
        is_asked=lambda team: team.serves.users > 1,
        asked_when="there is more than one user",
        on_hardware=True,
        is_latency=True,
    ),
    Criterion(
        key="throughput",
        title="Tokens a second",
        unit="tokens/s",
        direction=_HIGHER,
        formula="output tokens/s of one machine at `serves.users`; not measured there: of a "
        "single stream",
        source="run of `load`, else of `compare`",
        measure=measures.throughput,
        weight=10,
        is_asked=lambda team: team.operations.price_per_hour is None,
        asked_when="there is no price (cost rests on the same figure)",
        on_hardware=True,
    ),
    Criterion(
        key="cost",
        title="Cost of a million tokens",
        unit="per million",
        direction=_LOWER,
        formula="`operations.price_per_hour` / (tokens/s x 3600) x 10^6",
        source="team file, and run of `load` or `compare`",
        measure=measures.cost,
        weight=10,
        limit=lambda team: team.operations.budget_per_million,
        limit_name="operations.budget_per_million",
        is_asked=lambda team: team.operations.price_per_hour is not None,
        asked_when="there is a price",
        on_hardware=True,
    ),
    Criterion(
        key="memory",
        title="Memory",
        unit="bytes",
        direction=_LOWER,
        formula="peak memory of all its processes while it answered",
        source="run of `compare`",
        measure=measures.measured("peak_memory_bytes", "bytes"),
        weight=5,
        on_hardware=True,
    ),
    Criterion(
        key="cold_start",
        title="Cold start",
        unit="s",
        direction=_LOWER,
        formula="from the start of the process to ready, the model loaded",
        source="run of `compare`",
        measure=measures.measured("cold_start_s", "s"),
        weight=5,
        span=_HUNDREDFOLD,
        floor=1,
        on_hardware=True,
    ),
    Criterion(
        key="recovery",
        title="Recovery after a crash",
        unit="s",
        direction=_LOWER,
        formula="from the kill of the process to the next first token",
        source="measured upkeep",
        measure=measures.measured("recovery_s", "s"),
        weight=5,
        span=_HUNDREDFOLD,
        floor=1,
        on_hardware=True,
    ),
    Criterion(
        key="build",
        title="Build time",
        unit="s",
        direction=_LOWER,
        formula="from sources to something that starts",
        source="measured upkeep",
        measure=measures.measured("build_s", "s"),
        weight=3,
        span=_HUNDREDFOLD,
        floor=10,
    ),
    Criterion(
        key="deployed",
        title="Size of what is deployed",
        unit="bytes",
        direction=_LOWER,
        formula="bytes of the files that run it, without the weights",
        source="measured upkeep",
        measure=measures.measured("deployed_bytes", "bytes"),
        weight=3,
        span=_HUNDREDFOLD,
        floor=10e6,
    ),
    Criterion(
        key="dependencies",
        title="Dependencies",
        unit="packages",
        direction=_LOWER,
        formula="packages in the lock file that the stack needs",
        source="measured upkeep",
        measure=measures.measured("dependencies", "packages"),
        weight=3,
        span=_HUNDREDFOLD,
        floor=10,
    ),
    Criterion(
        key="own_lines",
        title="Lines of our own",
        unit="lines",
        direction=_LOWER,
        formula="lines of our own binding or adapter",
        source="measured upkeep",
        measure=measures.measured("own_lines", "lines"),
        weight=3,
        span=_HUNDREDFOLD,
        floor=100,
    ),
    Criterion(
        key="energy",
        title="Energy of a token",
        unit="J/token",
        direction=_LOWER,
        formula="energy of the processor over output tokens",
        source="measured upkeep",
        measure=measures.measured("energy_j_per_token", "J/token"),
        weight=0,
        on_hardware=True,
    ),
    Criterion(
        key="container",
        title="An image by the project",
        unit="0 or 1",
        direction=_HIGHER,
        kind=ScaleKind.SHARE,
        formula="1 if the project publishes an image of the server; 0 if it says that there is "
        "none, and for a library, which is part of an image of one's own",
        source="catalogue",
        measure=measures.has_container,
        weight=3,
        is_asked=lambda team: team.operations.runs_in == "container",
        asked_when="`operations.runs_in` is container",
    ),
)

CRITERIA_KEYS = tuple(each.key for each in CRITERIA)


def weights_of(team: Team) -> Mapping[str, float]:
    """What each criterion weighs for this team, in the order of `CRITERIA`; not normalised."""
    if team.weights is not None:
        return {each.key: float(team.weights.get(each.key, 0.0)) for each in CRITERIA}
    return {each.key: each.weight if each.is_asked(team) else 0.0 for each in CRITERIA}


def figure_of(criterion: Criterion, stack: StackFigures, team: Team, *, measured_on: str) -> Figure:
    """The figure of a criterion; one of other hardware than the team's is not known.

    Args:
        criterion: which.
        stack: of what.
        team: for whom.
        measured_on: `cpu` or `gpu`.
    """
    found = criterion.measure(stack, team)
    wanted = team.operations.hardware
    if criterion.on_hardware and found.is_known and wanted != measured_on:
        why = f"measured on a {measured_on.upper()}, and the team's is a {wanted.upper()}"
        return replace(Figure.unknown(found.unit, why), run_id=found.run_id)
    return found

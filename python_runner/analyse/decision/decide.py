"""Which stack fits a team: constraints first, then the weighted mean of what is left."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from python_runner.analyse.decision.constraints import Checked, check_stack
from python_runner.analyse.decision.criteria import (
    CRITERIA,
    CRITERIA_KEYS,
    figure_of,
    weights_of,
)
from python_runner.analyse.decision.criterion import Criterion
from python_runner.analyse.decision.figures import Figure, StackFigures, stacks_of
from python_runner.analyse.decision.notes import notes_of
from python_runner.analyse.decision.result import Decision, Excluded, Nearest, Part, Ranked
from python_runner.analyse.decision.scale import Scale
from python_runner.analyse.decision.score import (
    Utilities,
    dominated_by,
    order_of,
    ranks_of,
    total_of,
    utility_of,
)
from python_runner.analyse.decision.sensitivity import (
    LatencySensitivity,
    WeightSensitivity,
    deciding_criteria,
    needed_latency,
    weight_turns,
)
from python_runner.common.errors import UsageError
from python_runner.engines.catalogue import Catalogue
from python_runner.study.team import Team


@dataclass(frozen=True, kw_only=True)
class _Data:
    """Stacks with their figures, by name."""

    team: Team
    stacks: Mapping[str, StackFigures]
    figures: Mapping[str, Mapping[str, Figure]]
    scales: Mapping[str, Scale | None]
    utilities: Mapping[str, Utilities]


def decide(
    team: Team, frame: pd.DataFrame, catalogue: Catalogue, *, measured_on: str = "cpu"
) -> Decision:
    """Rank the stacks of a frame for a team.

    Args:
        team: people, what is served, constraints and weights.
        frame: a row for each stack and figure (`figures.COLUMNS`).
        catalogue: facts about projects.
        measured_on: hardware that the figures come from, `cpu` or `gpu`.

    Raises:
        UsageError: the frame has no stack.
    """
    stacks = {stack.name: stack for stack in stacks_of(frame, catalogue)}
    if not stacks:
        raise UsageError(
            "no stack has been measured yet",
            hint="Run `polystack compare`, then `polystack team` again.",
        )
    data = _data_of(team, stacks, measured_on)
    weights = weights_of(team)
    checked = {name: check_stack(stacks[name], team, data.figures[name]) for name in stacks}
    allowed = [name for name in stacks if not checked[name].breaches]
    ranked = _ranked(data, allowed, weights, checked)
    turns = _turns(data, ranked, weights)
    return Decision(
        team=team,
        weights=weights,
        scales=data.scales,
        ranked=tuple(ranked),
        excluded=tuple(_excluded(data, checked, weights)),
        weight_turns=turns,
        latency_turns=tuple(_latencies(data, ranked, weights)),
        deciding=deciding_criteria(turns, ranked[0].stack.name) if ranked else (),
        nearest=None if ranked else _nearest(stacks, checked),
        notes=tuple(notes_of(team, data.figures, data.stacks, weights)),
    )


def _data_of(team: Team, stacks: Mapping[str, StackFigures], measured_on: str) -> _Data:
    figures = {
        name: {each.key: figure_of(each, stack, team, measured_on=measured_on) for each in CRITERIA}
        for name, stack in stacks.items()
    }
    scales = {
        each.key: each.scale([mine[each.key].value for mine in figures.values()], team)
        for each in CRITERIA
    }
    utilities = {
        name: {key: utility_of(found, scales[key]) for key, found in mine.items()}
        for name, mine in figures.items()
    }
    return _Data(team=team, stacks=stacks, figures=figures, scales=scales, utilities=utilities)


def _ranked(
    data: _Data,
    allowed: Sequence[str],
    weights: Mapping[str, float],
    checked: Mapping[str, Checked],
) -> list[Ranked]:
    utilities = {name: data.utilities[name] for name in allowed}
    totals = {name: total_of(mine, weights) for name, mine in utilities.items()}
    dominated = dominated_by(utilities, CRITERIA_KEYS)
    ranks = ranks_of(totals)
    return [
        Ranked(
            stack=data.stacks[name],
            total=totals[name],
            rank=ranks[name],
            parts=_parts(data, name, weights),
            dominated_by=tuple(data.stacks[other].title for other in dominated[name]),
            open_questions=checked[name].open_questions,
        )
        for name in order_of(totals, dominated)
    ]


def _parts(data: _Data, name: str, weights: Mapping[str, float]) -> dict[str, Part]:
    whole, utilities = sum(weights.values()), data.utilities[name]
    return {
        key: Part(
            figure=data.figures[name][key],
            utility=utilities[key],
            contribution=weights[key] / whole * utilities[key].point,
        )
        for key in weights
    }


def _excluded(
    data: _Data, checked: Mapping[str, Checked], weights: Mapping[str, float]
) -> Iterator[Excluded]:
    for name, found in checked.items():
        if found.breaches:
            parts = _parts(data, name, weights)
            yield Excluded(stack=data.stacks[name], breaches=found.breaches, parts=parts)


def _turns(
    data: _Data, ranked: Sequence[Ranked], weights: Mapping[str, float]
) -> tuple[WeightSensitivity, ...]:
    if len(ranked) < 2:
        return ()
    utilities = {one.stack.name: data.utilities[one.stack.name] for one in ranked}
    return weight_turns(utilities, weights, ranked[0].stack.name)


def _latencies(
    data: _Data, ranked: Sequence[Ranked], weights: Mapping[str, float]
) -> Iterator[LatencySensitivity]:
    if len(ranked) < 2:
        return
    second = ranked[1].stack.name
    for criterion in CRITERIA:
        found = data.figures[second][criterion.key]
        if criterion.is_latency and weights[criterion.key] and found.is_known:
            what_if = _WhatIf(
                data=data,
                names=[one.stack.name for one in ranked],
                weights=weights,
                name=second,
                criterion=criterion,
            )
            needed = needed_latency(found.value, what_if.is_first)
            yield LatencySensitivity(
                criterion=criterion.key, stack=second, value=found.value, needed=needed
            )


@dataclass(frozen=True, kw_only=True)
class _WhatIf:
    """One figure of one stack, set to other values."""

    data: _Data
    names: Sequence[str]
    weights: Mapping[str, float]
    name: str
    criterion: Criterion

    def is_first(self, value: float) -> bool:
        """Whether the stack is first with `value`. The scale starts at the best, so it moves."""
        key = self.criterion.key
        values = {name: mine[key].value for name, mine in self.data.figures.items()}
        scale = self.criterion.scale([*(values | {self.name: value}).values()], self.data.team)
        totals = {}
        for name in self.names:
            figure = self.data.figures[name][key]
            figure = Figure.exactly(value, figure.unit) if name == self.name else figure
            changed = {**self.data.utilities[name], key: utility_of(figure, scale)}
            totals[name] = total_of(changed, self.weights)
        return order_of(totals, {name: [] for name in self.names})[0] == self.name


def _nearest(stacks: Mapping[str, StackFigures], checked: Mapping[str, Checked]) -> Nearest | None:
    """Of stacks that only targets exclude, or else of all that miss one, the least late."""
    late = {
        name: [one for one in found.breaches if one.what == "target"]
        for name, found in checked.items()
    }
    misses = {name: breaches for name, breaches in late.items() if breaches}
    only = {name: each for name, each in misses.items() if len(each) == len(checked[name].breaches)}
    candidates = only or misses
    if not candidates:
        return None
    name = min(candidates, key=lambda one: max(breach.miss for breach in candidates[one]))
    worst = max(candidates[name], key=lambda breach: breach.miss)
    return Nearest(title=stacks[name].title, reason=worst.reason, miss=worst.miss)

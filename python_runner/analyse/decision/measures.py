"""How each criterion gets its number from what is known of a stack and of the team."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from python_runner.analyse.decision.figures import Figure, StackFigures
from python_runner.study.team import Team

_SECONDS_PER_HOUR = 3600
_MILLION = 1e6

Measure = Callable[[StackFigures, Team], Figure]


def able_share(stack: StackFigures, team: Team) -> Figure:
    """Share of all people who know the stack's language at the level asked for."""
    able = team.able(stack.language)
    source = f"{able} of {team.number} people, by the team file"
    return Figure.exactly(able / team.number, "share", source)


def able_on_call_share(stack: StackFigures, team: Team) -> Figure:
    """The same share of those who are on call."""
    if not team.on_call:
        return Figure.unknown("share", "nobody is on call in the team file")
    able = team.able(stack.language, on_call=True)
    source = f"{able} of {team.on_call} on call, by the team file"
    return Figure.exactly(able / team.on_call, "share", source)


def first_token(stack: StackFigures, team: Team) -> Figure:
    """TTFT of one request alone, for the team's prompts.

    A prompt of another length than the one measured is bounded: between what was measured,
    and that in proportion to the length.
    """
    found, had = stack.figure("ttft_ms", "ms"), stack.figures.get("prompt_tokens")
    wanted = team.serves.prompt_tokens
    if not found.is_known or wanted is None or had is None or not had.is_known:
        return found
    factor = wanted / had.value
    if factor == 1:
        return found
    note = f"measured with {had.value:.0f} prompt tokens; {wanted} may take {factor:.3g} times that"
    scaled = replace(
        found,
        value=found.value * factor**0.5,
        low=found.low * min(1.0, factor),
        high=found.high * max(1.0, factor),
    )
    return scaled.noted(note)


def whole_answer(stack: StackFigures, team: Team) -> Figure:
    """E2E latency of one request alone, for the team's prompts and answers.

    As measured where the request was the same, else TTFT + (tokens - 1) x TPOT.
    """
    measured = stack.figure("e2e_ms", "ms")
    wanted, had = team.serves.new_tokens, stack.figures.get("new_tokens")
    first = first_token(stack, team)
    same_answer = wanted is None or (had is not None and had.value == wanted)
    if same_answer and (not first.note or not measured.is_known):
        return measured
    tokens = wanted or (had.value if had is not None and had.is_known else 0.0)
    gap = stack.figure("tpot_ms", "ms")
    if not (first.is_known and gap.is_known and tokens):
        return Figure.unknown("ms", first.why_unknown or gap.why_unknown or "no token was timed")
    gaps = tokens - 1
    made = replace(
        first,
        value=first.value + gaps * gap.value,
        low=first.low + gaps * gap.low,
        high=first.high + gaps * gap.high,
        source=f"TTFT + {gaps:.0f} x TPOT; {first.source}",
    )
    return made.noted("computed, not measured at this length")


def first_token_at_users(stack: StackFigures, team: Team) -> Figure:
    """95th percentile of TTFT with all users at once."""
    return stack.at_users("ttft_p95_ms", team.serves.users, "ms")


def throughput(stack: StackFigures, team: Team) -> Figure:
    """Output tokens a second of one machine: at the team's users, else of a single stream."""
    unit, users = "tokens/s", team.serves.users
    if users > 1:
        found = stack.at_users("tgr_tokens_per_s", users, unit)
        if found.is_known:
            return (
                found if found.value > 0 else Figure.unknown(unit, "no token came out under load")
            )
    alone = stack.figure("tokens_per_s", unit)
    return alone.noted(f"of a single stream, not of {users} users") if users > 1 else alone


def cost(stack: StackFigures, team: Team) -> Figure:
    """Price of a million output tokens: price per hour / (tokens/s x 3600) x 10^6."""
    price, unit = team.operations.price_per_hour, f"{team.operations.currency} per million"
    rate = throughput(stack, team)
    if price is None:
        return Figure.unknown(unit, "no price per machine hour is set")
    if not rate.is_known:
        return Figure.unknown(unit, rate.why_unknown)
    return replace(
        rate,
        value=cost_of(rate.value, price),
        low=cost_of(rate.high, price),
        high=cost_of(rate.low, price),
        unit=unit,
        source=f"{price:g} {team.operations.currency} an hour, {rate.value:.3g} tokens/s: "
        f"{rate.source}",
    )


def cost_of(tokens_per_s: float, price_per_hour: float) -> float:
    """Price of a million tokens; infinite where none comes out."""
    return (
        math.inf
        if not tokens_per_s
        else price_per_hour / (tokens_per_s * _SECONDS_PER_HOUR) * _MILLION
    )


def has_container(stack: StackFigures, _team: Team) -> Figure:
    """1 where the project publishes an image of the server, 0 for a library in one's own."""
    unit = "0 or 1"
    if stack.reach == "embedded":
        return Figure.exactly(0.0, unit, "a library is part of an image of one's own")
    fact = stack.facts.get("container")
    if fact is None:
        return Figure.unknown(unit, "not in the catalogue")
    return Figure.exactly(float("none" not in fact.values), unit, fact.source)


def measured(name: str, unit: str) -> Measure:
    """A figure as it was measured."""
    return lambda stack, _team: stack.figure(name, unit)

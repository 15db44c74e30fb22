"""What a decision says, in sentences and in cells."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence

from python_runner.analyse.decision import CRITERIA, Criterion, Decision, Figure, Ranked
from python_runner.analyse.decision.sensitivity import LatencySensitivity, WeightSensitivity
from python_runner.report.units import (
    MISSING,
    TO,
    spell_bytes,
    spell_number,
    spell_range,
    spell_ratio,
    spell_share,
    spell_time,
)

BY_KEY: Mapping[str, Criterion] = {each.key: each for each in CRITERIA}
UNKNOWN = "unknown"
_MOST_REASONS = 3
_MS_PER_S = 1000.0


_SPELLED: Mapping[str, Callable[[float], str]] = {
    "ms": spell_time,
    "s": lambda value: spell_time(value * _MS_PER_S),
    "bytes": spell_bytes,
    "share": spell_share,
    "0 or 1": lambda value: "yes" if value else "no",
    "packages": "{:,.0f}".format,
    "lines": "{:,.0f}".format,
}


def spell_value(value: float, unit: str) -> str:
    """A criterion's value with its unit."""
    if math.isnan(value):
        return UNKNOWN
    if value == 0 and unit == "s":
        return "none"  # a stack that is not compiled takes no time, and not 0 ms
    spell = _SPELLED.get(unit)
    return spell(value) if spell else f"{spell_number(value)} {unit}"


def spell_figure(figure: Figure) -> str:
    """The value, and its interval where it has one."""
    text = spell_value(figure.value, figure.unit)
    if not figure.is_known or figure.low == figure.high:
        return text
    if figure.unit == "ms":
        return f"{text} ({spell_range(figure.low, figure.high)})"
    if figure.unit == "s":
        return f"{text} ({spell_range(figure.low * _MS_PER_S, figure.high * _MS_PER_S)})"
    ends = TO.join(spell_number(end) for end in (figure.low, figure.high))
    return f"{text} ({ends})"


def spell_total(value: float) -> str:
    """A total or utility with two decimals."""
    return MISSING if math.isnan(value) else f"{value:.2f}"


def spell_span(low: float, high: float) -> str:
    """Both ends of a total."""
    return f"{spell_total(low)}{TO}{spell_total(high)}"


def listed(names: Sequence[str], word: str = "and") -> str:
    """`a, b and c`."""
    return f" {word} ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def answer(decision: Decision) -> tuple[str, ...]:
    """What the data support, first of all."""
    if not decision.ranked:
        return tuple(_nothing_left(decision))
    return tuple(_first_place(decision))


def _nothing_left(decision: Decision) -> Iterator[str]:
    nearest = decision.nearest
    yield f"No stack of these {len(decision.excluded)} is what this team asks for."
    if nearest is not None:
        yield (
            f"Nearest to the targets comes {nearest.title}: {nearest.reason}, "
            f"{spell_ratio(nearest.miss)} too slow at best."
        )
    yield "Move a target or a constraint, or measure other stacks."


def _first_place(decision: Decision) -> Iterator[str]:
    first, tied = decision.ranked[0], decision.tied
    title = first.stack.title
    if len(decision.ranked) == 1:
        yield f"{title} is the only stack that meets the constraints."
    elif len(tied) == 1:
        yield f"{title} fits this team best: its range lies above that of all others."
    else:
        others = [one.stack.title for one in tied if one is not first]
        yield (
            f"Not known. {title} comes out first, and the ranges do not separate it from "
            f"{listed(others)}: what is unknown or uncertain could turn it."
        )
    reasons = strongest(decision, first)
    if reasons and len(decision.ranked) > 1:
        second = decision.ranked[1].stack.title
        yield f"What puts it before {second}: {listed(reasons)}."
    if decision.deciding:
        named = [
            f"{BY_KEY[one.criterion].title.lower()} (without it: {decision.title_of(one.without)})"
            for one in decision.deciding
        ]
        yield f"The answer hangs on a single criterion: {listed(named, 'or')}."
    elif len(decision.ranked) > 1:
        yield "No single criterion decides: taking any one out leaves the first place as it is."


def strongest(decision: Decision, first: Ranked) -> list[str]:
    """The criteria by which the first is most ahead of the second, with both values."""
    second = decision.ranked[1] if len(decision.ranked) > 1 else None
    if second is None:
        return []
    ahead = {
        key: part.contribution - second.parts[key].contribution
        for key, part in first.parts.items()
        if part.utility.is_known and second.parts[key].utility.is_known
    }
    best = sorted((key for key in ahead if ahead[key] > 0.005), key=lambda key: -ahead[key])
    return [
        f"{BY_KEY[key].title.lower()} ({_short(first, key)} against {_short(second, key)})"
        for key in best[:_MOST_REASONS]
    ]


def _short(ranked: Ranked, key: str) -> str:
    figure = ranked.parts[key].figure
    return spell_value(figure.value, figure.unit)


def spell_turn(one: WeightSensitivity, decision: Decision) -> str:
    """How far a weight may go before another stack is first."""
    parts = []
    if one.below is not None:
        below = spell_weight(one.below.weight)
        parts.append(f"below {below}: {decision.title_of(one.below.stack)}")
    if one.above is not None:
        above = spell_weight(one.above.weight)
        parts.append(f"above {above}: {decision.title_of(one.above.stack)}")
    return "; ".join(parts) if parts else "no weight of it changes the first place"


def spell_weight(weight: float) -> str:
    """A weight, as short as it can be."""
    return f"{weight:.3g}" if weight < 1000 else f"{weight:,.0f}"


def spell_latency(one: LatencySensitivity, decision: Decision) -> str:
    """How much faster the second would have to be."""
    title, name = decision.title_of(one.stack), BY_KEY[one.criterion].title.lower()
    if math.isnan(one.needed):
        return f"{title}, {name}: no latency alone would put it first (now {spell_time(one.value)})"
    faster = spell_ratio(one.value / one.needed)
    return (
        f"{title}, {name}: {spell_time(one.needed)} instead of {spell_time(one.value)} "
        f"({faster} faster) would put it first"
    )


def machines(decision: Decision) -> Iterator[str]:
    """How many machines the day's requests take at the measured rate, stack by stack."""
    serves = decision.team.serves
    if serves.requests_a_day is None or serves.new_tokens is None:
        return
    wanted = serves.requests_a_day * serves.new_tokens / 86_400
    yield (
        f"{serves.requests_a_day:,} requests a day of {serves.new_tokens} tokens are "
        f"{spell_number(wanted)} tokens/s, if they come evenly."
    )
    for one in decision.ranked:
        rate = one.parts["throughput"].figure
        if rate.is_known:
            note = f" ({rate.note})" if rate.note else ""
            count = math.ceil(wanted / rate.value)
            many = "machine" if count == 1 else "machines"
            yield f"{one.stack.title}: {spell_value(rate.value, rate.unit)}{note}, {count} {many}."

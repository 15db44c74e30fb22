"""What a reader must know before the ranking: gaps in the data and in the team file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from python_runner.analyse.decision.criteria import CRITERIA
from python_runner.analyse.decision.figures import Figure, StackFigures
from python_runner.engines.table import embedded_twins
from python_runner.study.team import STACK_LANGUAGES, Team

_AT_USERS = ("users_ttft", "throughput")


def notes_of(
    team: Team,
    figures: Mapping[str, Mapping[str, Figure]],
    stacks: Mapping[str, StackFigures],
    weights: Mapping[str, float],
) -> Iterator[str]:
    """Sentences, the weightiest first.

    Args:
        team: whose.
        figures: by stack and criterion.
        stacks: by name.
        weights: by criterion.
    """
    yield from _languages(team, stacks)
    yield from _twins(team, stacks)
    yield from _hardware(team, figures)
    yield from _users(team, figures, stacks)
    yield from _price(team, weights)
    yield from _unknown_of_all(figures, weights)


def _languages(team: Team, stacks: Mapping[str, StackFigures]) -> Iterator[str]:
    level = team.operations.level
    written = sorted({stack.language for stack in stacks.values()})
    without = [language for language in written if not team.able(language)]
    if without and len(without) == len(written):
        yield (
            f"Nobody in this team knows {_either(written)} at the level {level!r}: who can keep a "
            "stack running decides nothing here, for no stack can be kept by anybody."
        )
    elif without:
        titles = [stack.title for stack in stacks.values() if stack.language in without]
        yield (
            f"Nobody in this team knows {_either(without)} at the level {level!r}: "
            f"{', '.join(titles)} would have no one to keep it running."
        )
    known = {language for group in team.people for language in group.languages}
    strange = sorted(known - set(STACK_LANGUAGES) - set(written))
    if strange:
        yield f"No stack is written in {_either(strange)}, so knowing it counts for nothing here."


def _twins(team: Team, stacks: Mapping[str, StackFigures]) -> Iterator[str]:
    """Engines that were measured the other way than the team asks for."""
    wanted = {"serve": "served", "embed": "embedded"}.get(team.constraints.must)
    pairs = embedded_twins().items()
    other = {embedded: served for served, embedded in pairs}
    other = other if wanted == "served" else dict(pairs)
    missing = [
        other[stack.name]
        for stack in stacks.values()
        if wanted and stack.reach != wanted and stack.name in other
        if other[stack.name] not in stacks
    ]
    if missing:
        yield (
            f"Not measured, and {wanted} as asked for: {', '.join(missing)}. "
            f"`polystack compare --stacks {','.join(missing)}` measures them."
        )


def _hardware(team: Team, figures: Mapping[str, Mapping[str, Figure]]) -> Iterator[str]:
    reasons = {
        mine[each.key].why_unknown
        for mine in figures.values()
        for each in CRITERIA
        if each.on_hardware and mine[each.key].why_unknown.startswith("measured on a ")
    }
    for reason in sorted(reasons):
        yield f"Speed and memory were {reason}: they count as unknown."
    if team.operations.hardware == "gpu" and not reasons:
        yield "No figure comes from a GPU."


def _users(
    team: Team, figures: Mapping[str, Mapping[str, Figure]], stacks: Mapping[str, StackFigures]
) -> Iterator[str]:
    users = team.serves.users
    if users == 1 or any(mine["users_ttft"].is_known for mine in figures.values()):
        return
    served = [name for name, stack in stacks.items() if stack.reach == "served"]
    engines = ",".join(served) or "llama-server,ollama"
    yield (
        f"No run has {users} users at once, so what they would wait for is not known. To measure "
        f"it: `polystack load --engine {engines} --users {users}`."
    )


def _price(team: Team, weights: Mapping[str, float]) -> Iterator[str]:
    if team.operations.price_per_hour is None:
        text = "Cost is not known: the team file has no operations.price_per_hour."
        yield text + (" It has a weight, and widens every range." if weights["cost"] else "")


def _unknown_of_all(
    figures: Mapping[str, Mapping[str, Figure]], weights: Mapping[str, float]
) -> Iterator[str]:
    titles = [
        each.title.lower()
        for each in CRITERIA
        if weights[each.key] and not any(mine[each.key].is_known for mine in figures.values())
    ]
    if titles:
        whole = sum(weights.values())
        share = sum(weights[each.key] / whole for each in CRITERIA if each.title.lower() in titles)
        yield (
            f"Known of no stack, and {share:.0%} of the weights: {', '.join(titles)}. Each range "
            "is wider by that share. `polystack upkeep` says what can be measured."
        )


def _either(words: list[str]) -> str:
    return " or ".join(words)

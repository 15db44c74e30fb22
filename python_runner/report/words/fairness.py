"""What was equal and what was not, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_LONGEST_FACT = 200
_NOBODY = "nobody says"


def who_has_what(row: Mapping[Any, Any]) -> str:
    """Each fact and its stacks, a line each; a row of `fairness_table`."""
    holders: Mapping[str, tuple[str, ...]] = row["holders"]
    is_for_all = len(holders) == 1 and not row["unknown"]
    lines = [
        spell_fact(fact) if is_for_all else f"{spell_fact(fact)}: {', '.join(titles)}"
        for fact, titles in holders.items()
    ]
    if row["unknown"]:
        who = ", ".join(row["unknown"]) if holders else _NOBODY
        lines.append(f"not known: {who}" if holders else who)
    return "\n".join(lines)


def spell_fact(fact: str) -> str:
    """A fact, cut where it is very long."""
    return fact if len(fact) <= _LONGEST_FACT else fact[: _LONGEST_FACT - 1].rstrip() + "…"

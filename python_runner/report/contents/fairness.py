"""What was equal, pair by pair, and who has what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from python_runner.analyse.fairness import fairness_pairs, fairness_table
from python_runner.measure.fairness import Equality
from python_runner.report.contents.cells import column
from python_runner.report.document import Block, Cell, Paragraph, Section, Table, Tone
from python_runner.report.words.fairness import spell_fact, who_has_what

_MOST_PAIRS = 6
"""All pairs of four stacks; more would be a table that nobody can read."""
_KEY, _TITLE = "fairness", "What was equal, and what was not"


def fairness_section(conditions: pd.DataFrame) -> Section:
    """Every criterion for all stacks together, and for each pair."""
    table = fairness_table(conditions)
    if table.empty:
        why = (
            "There is one stack only."
            if len(conditions) < 2
            else "Of this run it was not kept what its stacks had in common: all of it is unknown."
        )
        return Section(key=_KEY, title=_TITLE, blocks=[Paragraph(text=why)])
    rows = [_criterion(row) for row in table.to_dict(orient="records")]
    together = Table(
        columns=(
            column("criterion"),
            column("all stacks", "equal: every pair is; different: at least one pair is"),
            column("must be", "whether a difference stops a run, unless it is allowed by name"),
            column("who has what"),
        ),
        rows=rows,
        caption="All stacks together",
    )
    return Section(key=_KEY, title=_TITLE, blocks=[together, *_by_pair(conditions)])


def _criterion(row: Mapping[Any, Any]) -> list[Cell]:
    equality = str(row["equality"])
    return [
        Cell(text=str(row["criterion"])),
        Cell(text=equality, tone=_tone(equality, blocks=bool(row["blocks"]))),
        Cell(text="equal" if row["blocks"] else "told"),
        Cell(text=who_has_what(row).replace("\n", "; ")),
    ]


def _tone(equality: str, *, blocks: bool) -> Tone:
    if equality == Equality.EQUAL.value:
        return Tone.GOOD
    if equality == Equality.UNKNOWN.value:
        return Tone.UNKNOWN
    return Tone.BAD if blocks else Tone.PLAIN


def _by_pair(conditions: pd.DataFrame) -> list[Block]:
    pairs = fairness_pairs(conditions)
    titles = dict(zip(conditions["stack"], conditions["title"], strict=True))
    named = {
        (left, right): f"{titles[left]} / {titles[right]}"
        for left, right in pairs[["left", "right"]].drop_duplicates().itertuples(index=False)
    }
    if len(named) <= _MOST_PAIRS:
        return [_matrix(pairs, named)]
    return [_counts(pairs, named)]


def _matrix(pairs: pd.DataFrame, named: Mapping[tuple[str, str], str]) -> Table:
    """A row for each criterion, a column for each pair."""
    found = {
        (row["key"], row["left"], row["right"]): row for row in pairs.to_dict(orient="records")
    }
    criteria = pairs[["key", "criterion"]].drop_duplicates().itertuples(index=False)
    return Table(
        columns=(column("criterion"), *(column(name) for name in named.values())),
        rows=[
            [
                Cell(text=str(criterion)),
                *(_of_pair(found[key, left, right]) for left, right in named),
            ]
            for key, criterion in criteria
        ],
        caption="Pair by pair",
    )


def _of_pair(row: Mapping[Any, Any]) -> Cell:
    equality = str(row["equality"])
    facts = (row["left_fact"], row["right_fact"])
    spelled = [spell_fact(fact) if isinstance(fact, str) else "not known" for fact in facts]
    note = spelled[0] if equality == Equality.EQUAL.value else " / ".join(spelled)
    return Cell(text=equality, tone=_tone(equality, blocks=bool(row["blocks"])), note=note)


def _counts(pairs: pd.DataFrame, named: Mapping[tuple[str, str], str]) -> Table:
    """A row for each pair: in what it differs, and what is not known."""
    rows = []
    for (left, right), name in named.items():
        mine = pairs[(pairs["left"] == left) & (pairs["right"] == right)]
        parts = {
            each: list(mine.loc[mine["equality"] == each.value, "criterion"]) for each in Equality
        }
        rows.append(
            [
                Cell(text=name),
                Cell(text=str(len(parts[Equality.EQUAL]))),
                Cell(text=", ".join(parts[Equality.DIFFERENT]) or "nothing"),
                Cell(text=", ".join(parts[Equality.UNKNOWN]) or "nothing"),
            ]
        )
    return Table(
        columns=(
            column("pair"),
            column("equal", "how many criteria"),
            column("different"),
            column("not known"),
        ),
        rows=rows,
        caption="Pair by pair",
    )

"""The table of a published study in words: for page, Markdown, CSV and terminal alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from python_runner.analyse.published import PublishedTable, Row
from python_runner.report.facts import shorten
from python_runner.report.units import MISSING, spell_number
from python_runner.study.published import STACK_COLUMN, Column, Value

WHOSE = "whose"
OURS, NOT_RUN, THEIRS, APART = "ours", "not run", "original", "not comparable"
_LONGEST = 200
_COUNTED = ("users", "concurrent")


def head_of(one: Column) -> str:
    """`TTFT (ms)`; a column that the original does not have is marked with a plus."""
    unit = f" ({one.unit})" if one.unit else ""
    return f"{one.title}{unit}{' +' if one.added else ''}"


def spelled(value: Value | None) -> str:
    """A figure with three digits that count; counts and words as they are; a dash for none."""
    if value is None:
        return MISSING
    if isinstance(value, str):
        return value
    return f"{value:,}" if isinstance(value, int) else spell_number(value)


def is_number(table: PublishedTable, one: Column) -> bool:
    """Whether a column holds numbers, as far as anything stands there."""
    values = [row.values[one.key] for row in table.rows if one.key in row.values]
    return bool(values) and not any(isinstance(value, str) for value in values)


def whose(row: Row) -> str:
    """Whose row it is; one of the original that cannot be held against ours is called so."""
    if row.is_ours:
        return OURS if row.was_run else NOT_RUN
    return APART if row.not_comparable else THEIRS


def remarks(table: PublishedTable) -> Iterator[str]:
    """What has to be said below the table, each thing once."""
    apart = dict.fromkeys(row.not_comparable for row in table.rows if row.not_comparable)
    yield from (f"Not comparable, the original's figures: {reason}." for reason in apart)
    lacks: dict[str, list[str]] = {}
    for row in table.rows:
        if row.lack:
            lacks.setdefault(shorten(row.lack, _LONGEST), []).append(_name(row, table.columns))
    for lack, names in lacks.items():
        yield f"{', '.join(dict.fromkeys(names))}: {lack}."
    if any(one.added for one in table.columns):
        yield "+: a column that the original does not have."
    yield from table.notes


def _name(row: Row, columns: Sequence[Column]) -> str:
    """`Ollama (users: 50)`."""
    name = str(row.values.get(STACK_COLUMN, ""))
    for one in columns:
        if one.key in _COUNTED and one.key in row.values:
            return f"{name} ({one.title.lower()}: {row.values[one.key]})"
    return name

"""A table in the shape of a published one: ours and the original's rows, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from python_runner.study.published import Column, Value


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row, ours or the original's."""

    values: Mapping[str, Value]
    """Column key to what stands there; a key that is missing is not known, and never zero."""
    is_ours: bool
    not_comparable: str = ""
    """Of an original's row: why it cannot be held against ours; empty: it can."""
    was_run: bool = True
    """Of a row of ours: whether its stack was one of the run's."""
    lack: str = ""
    """Of a row of ours: why figures are missing; empty: none is."""


@dataclass(frozen=True, kw_only=True)
class PublishedTable:
    """What a published study's runs say, in its own shape."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    """Grouped by platform in the order of the original: ours, then the original's."""
    notes: tuple[str, ...] = field(default=())
    """What a reader has to know to read it: scale, what is smaller, missing runs."""

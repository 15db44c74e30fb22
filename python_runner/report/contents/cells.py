"""Cells and small tables."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from python_runner.report.document import Cell, Column, Table, Tone
from python_runner.report.units import MISSING


def said(text: str, *, note: str = "", tone: Tone = Tone.PLAIN) -> Cell:
    """A cell of words; a dash, marked as not known, for none."""
    if not text or text == MISSING:
        return Cell(text=MISSING, tone=Tone.UNKNOWN, note=note or "not known")
    return Cell(text=text, note=note, tone=tone)


def figure(
    value: float, spell: Callable[[float], str], *, note: str = "", tone: Tone = Tone.PLAIN
) -> Cell:
    """A number as it is read, and itself for sorting; a dash, marked as not known, for NaN."""
    if not math.isfinite(value):
        return Cell(text=MISSING, tone=Tone.UNKNOWN, note=note or "not known")
    return Cell(text=spell(value), note=note, tone=tone, value=float(value))


def column(title: str, meaning: str = "") -> Column:
    """A column of words."""
    return Column(title=title, meaning=meaning)


def numbers(title: str, meaning: str = "") -> Column:
    """A column of numbers."""
    return Column(title=title, meaning=meaning, is_number=True)


def named(pairs: Mapping[str, str], *, caption: str, first: str = "", second: str = "") -> Table:
    """Names and values; what is empty is left out."""
    rows: Sequence[Sequence[Cell]] = [
        (Cell(text=name), said(value)) for name, value in pairs.items() if value
    ]
    return Table(columns=(column(first), column(second)), rows=rows, caption=caption)

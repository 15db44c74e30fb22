"""`plot`: two columns of a tidy frame as a picture, in one line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from python_runner.common.errors import UnknownNameError, UsageError
from python_runner.notebook.captions import captions_of
from python_runner.notebook.marks import KINDS, Group, label, make_picture_page, name_axes
from python_runner.notebook.picture import Picture
from python_runner.report.charts.data import looks
from python_runner.report.charts.draw import chart_style
from python_runner.report.variants import variant_numbers

_GROUP = ("title", "language", "path")


def plot(
    frame: pd.DataFrame,
    y: str,
    *,
    x: str | None = None,
    kind: str | None = None,
    title: str = "",
    log: bool = False,
) -> Picture:
    """Draw a column of a tidy frame, stack by stack, each in its language's colour.

    Rows that `frame` has are drawn, warm-up too, if it is among them; those without a value
    are left out, and the picture says how many.

    Args:
        frame: of `load` or `Run.table`, as a whole or a part of it. Needs `title`, `language`
            and `path`; keeps its captions as long as it keeps its `attrs`.
        y: the column of values.
        x: the column that it is drawn over; None: each stack's values beside each other.
        kind: over `x`: `points` (a mark for each row) or `median` (of the rows that share an
            `x`, with their middle half as a band). Without: `strip` (a mark for each row, and
            the median) or `ecdf` (share of values that are at most so large).
        title: above the picture; empty: made of the columns' names.
        log: a logarithmic scale of values.

    Raises:
        UnknownNameError: no such column or kind.
        UsageError: it cannot be drawn so; nothing is left to draw.
    """
    kinds = {name: one for name, one in KINDS.items() if one.has_x == (x is not None)}
    chosen = kind or next(iter(kinds))
    if chosen not in kinds:
        which = "over an x" if x is not None else "without an x"
        raise UnknownNameError(f"kind of picture {which}", chosen, kinds)
    wanted = [y] if x is None else [y, x]
    shown = _usable(frame, wanted)
    groups = list(_groups(shown))
    facts = captions_of(shown)
    head = title or label(y) + (f" over {label(x, within=True)}" if x else "")
    how = f"{kinds[chosen].words} {_left_out(frame, shown)}".strip()
    with chart_style():
        page = make_picture_page(groups, chosen, head, how, facts)
        kinds[chosen].draw(page.axes, groups, y, x or "")
        counts = x is not None and pd.api.types.is_integer_dtype(shown[x])
        name_axes(page.axes, x=x or "", y=y, log=log, counts=counts)
    words = " · ".join(text for text in (head, facts.model, facts.work, *facts.warnings) if text)
    return Picture(chosen, page.figure, f"{words}. {how}")


def _usable(frame: pd.DataFrame, wanted: Sequence[str]) -> pd.DataFrame:
    for name in (*_GROUP, *wanted):
        if name not in frame:
            raise UnknownNameError("column", name, [str(known) for known in frame.columns])
    for name in wanted:
        if not pd.api.types.is_numeric_dtype(frame[name]):
            numbers = frame.select_dtypes("number").columns
            raise UsageError(
                f"the column {name!r} holds no numbers, and is not drawn",
                hint=f"Columns of numbers: {', '.join(str(one) for one in numbers)}.",
            )
    values = frame[list(wanted)].astype("Float64").astype(float)
    shown: pd.DataFrame = frame.loc[np.isfinite(values.to_numpy()).all(axis=1)]
    if shown.empty:
        raise UsageError(
            f"no row has a value of {' and '.join(wanted)}",
            hint="Failed requests have no figures: look at the columns `outcome` and `failure`.",
        )
    return shown


def _left_out(frame: pd.DataFrame, shown: pd.DataFrame) -> str:
    missing = len(frame) - len(shown)
    words = f"{missing} of {len(frame)} rows have no value." if missing else ""
    if "is_warmup" in shown and shown["is_warmup"].fillna(value=False).any():
        words = f"{words} Warm-up included."
    return words.strip()


def _groups(shown: pd.DataFrame) -> Iterator[Group]:
    """The stacks in the order of the frame; of several runs, each by itself."""
    several = "run_id" in shown and shown["run_id"].nunique() > 1
    by = ["run_id", *_GROUP] if several else list(_GROUP)
    seen = [(key, rows) for key, rows in shown.groupby(by, sort=False)]
    firsts = [rows.iloc[0].to_dict() for _, rows in seen]
    numbers = _variants(firsts)
    for (_, rows), first, number in zip(seen, firsts, numbers, strict=True):
        stack = {"language": first["language"], "reach": first["path"], "variant": number}
        language, reach = looks(stack)
        name = f"{first['title']}, run {first['run_id']}" if several else str(first["title"])
        yield Group(name=name, rows=rows, language=language, reach=reach)


def _variants(firsts: Sequence[Mapping[Any, Any]]) -> list[int]:
    """Which of its language's looks a stack has: variants, and stacks of the same look."""
    if any("stack" not in first for first in firsts):
        return [0] * len(firsts)
    stacks = [
        {"stack": first["stack"], "language": first["language"], "condition_id": number}
        for number, first in enumerate(firsts)
    ]
    return variant_numbers(pd.DataFrame(stacks))

"""Claims and their verdicts, run beside run: words in boxes, so that no colour has to be known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from python_runner.analyse.claims import ClaimVerdict
from python_runner.engines.contract import Language
from python_runner.report.charts.draw import chart_style, save
from python_runner.report.charts.page import MARGIN, WIDTH, make_page
from python_runner.report.charts.text import Weight, line_height, wrap
from python_runner.report.claims import ClaimColumn, ClaimRow, ClaimsData, spell_cell
from python_runner.report.facts import RunFacts, each_once
from python_runner.report.palette import GRID, INK, LANGUAGES, QUIET, tint

MOST_COLUMNS = 4
_SIZE = 10.0
_SMALL = 9.0
_PADDING = 0.1
_INDENT = 0.22
_LABEL_GAP = 0.15
_WIDEST_CELL = 2.3
_LEAST_LABEL = 2.9
_COLORS = {
    ClaimVerdict.SUPPORTED: LANGUAGES[Language.CPP].color,
    ClaimVerdict.REFUTED: LANGUAGES[Language.RUST].color,
    ClaimVerdict.INCONCLUSIVE: LANGUAGES[Language.NONE].color,
}
_SIGNS = {
    ClaimVerdict.SUPPORTED: "\N{CHECK MARK}",
    ClaimVerdict.REFUTED: "\N{MULTIPLICATION X}",
    ClaimVerdict.INCONCLUSIVE: "?",
}
_HOW_TO_READ = (
    "A verdict holds under the conditions of its run. Below it: what decided it, a ratio, "
    "share or range, with its 95% interval. A claim with several "
    "parts is supported if all of them are, and refuted if one is."
)


@dataclass(frozen=True, kw_only=True)
class _Look:
    verdict: ClaimVerdict
    is_pale: bool
    """Of a part, beside the claim as a whole."""


@dataclass(frozen=True, kw_only=True)
class _Layout:
    label: float
    """Inches for the sentences."""
    cell: float
    """Inches for a column."""


def draw_claims(data: ClaimsData, stem: Path) -> list[Path]:
    """Draw the verdicts as PNG and SVG at `stem`.

    Raises:
        ValueError: more than `MOST_COLUMNS` runs.
    """
    if len(data.columns) > MOST_COLUMNS:
        raise ValueError(f"a picture has room for {MOST_COLUMNS} runs")
    stem.parent.mkdir(parents=True, exist_ok=True)
    with chart_style():
        return save(claims_figure(data), stem, _facts(data))


def claims_figure(data: ClaimsData) -> Figure:
    """Sentences on the left, a column of boxes for each run."""
    width = WIDTH - 2 * MARGIN
    cell = min(_WIDEST_CELL, (width - _LEAST_LABEL) / len(data.columns))
    layout = _Layout(label=width - cell * len(data.columns), cell=cell)
    heads = [_head_lines(column, layout) for column in data.columns]
    head = max(sum(line_height(size) for _, size, _ in lines) for lines in heads) + _PADDING
    heights = [_row_height(row, layout) for row in data.rows]
    page = make_page(
        title=f"Claims: {data.claims.title}",
        how_to_read=f"{data.claims.source}. {_HOW_TO_READ}",
        facts=_facts(data),
        left=0.0,
        right=0.0,
        body=head + sum(heights),
    )
    axes = page.axes
    axes.set_axis_off()
    axes.set_xlim(0, width)
    axes.set_ylim(head + sum(heights), 0)
    for index, lines in enumerate(heads):
        _write(axes, lines, x=layout.label + (index + 0.5) * cell, top=0.0, centred=True)
    top = head
    for row, height in zip(data.rows, heights, strict=True):
        _draw_row(axes, row, layout, top, height)
        top += height
    return page.figure


_Lines = list[tuple[str, float, Weight]]


def _head_lines(column: ClaimColumn, layout: _Layout) -> _Lines:
    room = layout.cell - 2 * _PADDING
    run = f"run {column.judgement.run_id}"
    precision = column.judgement.conditions.get("precision", "")
    small = ", ".join(text for text in (run, precision) if text)
    return [
        *((text, _SIZE, "bold") for text in wrap(column.judgement.study, room, _SIZE, "bold")),
        *((text, _SMALL, "normal") for text in wrap(small, room, _SMALL)),
    ]


def _label_lines(row: ClaimRow, layout: _Layout) -> _Lines:
    size = _SMALL if row.is_part else _SIZE
    weight: Weight = "normal" if row.is_part else "bold"
    room = layout.label - _LABEL_GAP - (_INDENT if row.is_part else 0.0)
    text = f"{row.label}  {row.says}"
    return [(line, size, weight) for line in wrap(text, room, size, weight)]


def _cell_lines(row: ClaimRow, index: int, layout: _Layout) -> _Lines:
    verdict, finding = row.verdicts[index], row.findings[index]
    room = layout.cell - 3 * _PADDING
    word = f"{_SIGNS[verdict]} {verdict.value}"
    below = spell_cell(finding)
    return [
        (word, _SMALL if row.is_part else _SIZE, "bold"),
        *(
            (text, _SMALL, "normal")
            for piece in below.split(": ", 1)
            for text in wrap(piece, room, _SMALL)
        ),
    ]


def _row_height(row: ClaimRow, layout: _Layout) -> float:
    cells = [_cell_lines(row, index, layout) for index in range(len(row.verdicts))]
    tallest = max(_height(lines) for lines in (_label_lines(row, layout), *cells))
    return tallest + 2 * _PADDING


def _draw_row(axes: Axes, row: ClaimRow, layout: _Layout, top: float, height: float) -> None:
    if not row.is_part:
        axes.plot([0, layout.label + layout.cell * len(row.verdicts)], [top, top], color=GRID)
    label = _label_lines(row, layout)
    left = _INDENT if row.is_part else 0.0
    _write(axes, label, x=left, top=top + (height - _height(label)) / 2, centred=False)
    for index, verdict in enumerate(row.verdicts):
        lines = _cell_lines(row, index, layout)
        x = layout.label + index * layout.cell
        _box(axes, (x, top), (layout.cell, height), _Look(verdict=verdict, is_pale=row.is_part))
        middle = top + (height - _height(lines)) / 2
        _write(axes, lines, x=x + layout.cell / 2, top=middle, centred=True)


def _box(axes: Axes, corner: tuple[float, float], size: tuple[float, float], look: _Look) -> None:
    """A frame with a little paper around it; the corner is the upper left one."""
    color = _COLORS[look.verdict]
    axes.add_patch(
        FancyBboxPatch(
            (corner[0] + 0.06, corner[1] + 0.04),
            size[0] - 0.12,
            size[1] - 0.08,
            boxstyle="round,pad=0,rounding_size=0.05",
            facecolor=tint(color, 0.1 if look.is_pale else 0.24),
            edgecolor=color,
            linestyle="--" if look.verdict is ClaimVerdict.INCONCLUSIVE else "-",
            linewidth=0.7 if look.is_pale else 1.3,
        )
    )


def _height(lines: _Lines) -> float:
    return sum(line_height(size) for _, size, _ in lines)


def _write(axes: Axes, lines: _Lines, *, x: float, top: float, centred: bool) -> None:
    for text, size, weight in lines:
        axes.text(
            x,
            top + 0.74 * line_height(size),
            text,
            fontsize=size,
            fontweight=weight,
            color=INK if weight == "bold" else QUIET,
            ha="center" if centred else "left",
            va="baseline",
            parse_math=False,
        )
        top += line_height(size)


def _facts(data: ClaimsData) -> RunFacts:
    """The caption of all runs together: each under its number."""
    facts = [column.facts for column in data.columns]
    return RunFacts(
        run_id=facts[0].run_id,
        model=each_once(one.model for one in facts),
        is_synthetic=any(one.is_synthetic for one in facts),
        work="each run judged by itself",
        course=" ".join(f"Run {one.run_id}: {one.work}. {one.course}." for one in facts),
        warnings=data.warnings,
        notes=(*data.marks, *data.exclusions, *_readings(data.readings)),
    )


def _readings(readings: Sequence[str]) -> tuple[str, ...]:
    return (f"Our reading. {' '.join(readings)}",) if readings else ()

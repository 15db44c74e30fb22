"""Which reports a run has: a comparison and a load have tables and pictures of their own."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol

from python_runner.common.errors import UsageError
from python_runner.store import Frames, RunKind

if TYPE_CHECKING:
    from rich.console import RenderableType

    from python_runner.report.load_data import LoadData


class RunReport(Protocol):
    """What can be shown of one run. Imports what a report needs when it is asked for."""

    table_name: ClassVar[str]
    """Usual name of the file of `export`, without the suffix."""

    def summary(self) -> RenderableType:
        """The table at the end of a run, with conditions, warnings and notes."""

    def detail(self) -> RenderableType:
        """Everything that is known of the run."""

    def stages(self) -> RenderableType:
        """Where the time goes. Raises UsageError if that was not asked in this run."""

    def draw(self, folder: Path) -> list[Path]:
        """Every picture, as PNG and as SVG; the files in order."""

    def export(self, format_name: str, path: Path) -> list[Path]:
        """Tidy tables, one at `path`, the others beside it. Raises UsageError, see `export`."""


def report_of(frames: Frames) -> RunReport:
    """The reports of the one run in `frames`. Raises UsageError for none or several."""
    if len(frames.runs) != 1:
        raise UsageError(
            f"a report is about one run, and this is about {len(frames.runs)}",
            hint="`polystack runs` lists the runs; name one of them.",
        )
    is_load = frames.runs["kind"].iloc[0] == RunKind.LOAD
    return _LoadReport(frames) if is_load else _ComparisonReport(frames)


class _ComparisonReport:
    table_name: ClassVar[str] = "samples"

    def __init__(self, frames: Frames) -> None:
        from python_runner.analyse.answers import with_answers

        self._answers = frames.answers
        conditions = with_answers(frames.conditions, frames.answers)
        self._frames = (frames.samples, conditions, frames.runs)

    def summary(self) -> RenderableType:
        from python_runner.report.terminal import summary_report

        return self._with_ablations(summary_report(*self._frames))

    def detail(self) -> RenderableType:
        from python_runner.report.terminal import run_detail

        return self._with_ablations(run_detail(*self._frames))

    def _with_ablations(self, report: RenderableType) -> RenderableType:
        from rich.console import Group

        from python_runner.report.terminal.ablations import ablations_report

        found = ablations_report(*self._frames)
        return Group(report, found) if found else report

    def stages(self) -> RenderableType:
        from python_runner.report.terminal import time_report

        return time_report(*self._frames)

    def draw(self, folder: Path) -> list[Path]:
        from python_runner.report.charts import draw_all

        return draw_all(*self._frames, folder)

    def export(self, format_name: str, path: Path) -> list[Path]:
        from python_runner.report.export import export

        return export(*self._frames, format_name, path, answers=self._answers.answers)


class _LoadReport:
    table_name: ClassVar[str] = "requests"

    def __init__(self, frames: Frames) -> None:
        self._frames = frames

    @cached_property
    def _data(self) -> LoadData:
        from python_runner.report.load_data import load_data

        return load_data(self._frames)

    def summary(self) -> RenderableType:
        from python_runner.report.terminal.load import load_report

        return load_report(self._data)

    def detail(self) -> RenderableType:
        from python_runner.report.terminal.load_detail import load_detail

        return load_detail(self._data)

    def stages(self) -> RenderableType:
        raise UsageError(
            "this run is a load, and stages are those of one request at a time",
            hint="Name a run of `polystack compare`; `polystack runs` lists them.",
        )

    def draw(self, folder: Path) -> list[Path]:
        from python_runner.report.charts.load.draw import draw_load

        return draw_load(self._data, folder)

    def export(self, format_name: str, path: Path) -> list[Path]:
        from python_runner.report.export import export_load

        return export_load(self._frames, format_name, path)

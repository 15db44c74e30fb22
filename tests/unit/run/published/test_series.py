"""What a series of runs says before it begins."""

from __future__ import annotations

from pathlib import Path

import pytest

from python_runner.common.errors import UsageError
from python_runner.common.progress import SilentProgress
from python_runner.run.published import Ways, Wish, plan, run_series, series
from python_runner.store import Store
from python_runner.study import load_published


def run(folder: Path, said: list[str]) -> None:
    """The series of users, of which no run is made."""
    with Store(folder / "polystack.sqlite") as store:
        ways = Ways(
            store=store,
            logs=folder,
            progress_of=lambda study, number: SilentProgress(),
            on_limit=said.append,
        )
        run_series(plan(load_published("users"), "tiny", Wish()), ways)


@pytest.mark.parametrize("limit", ["may have 9 open files now", ""])
def test_a_limit_that_was_raised_is_said_once_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    said: list[str] = []

    def no_run(*_: object, **__: object) -> None:
        assert said == ([limit] if limit else [])
        raise UsageError("so far and no further")

    monkeypatch.setattr(series, "check_open_files", lambda load: limit)
    monkeypatch.setattr(series, "load", no_run)
    with pytest.raises(UsageError, match="no further"):
        run(tmp_path, said)

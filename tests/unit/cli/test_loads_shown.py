"""runs, show, plot and export on a stored load."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from python_runner.store import Store
from tests.golden.loads import LLAMA, OLLAMA, closed_levels, record_load
from tests.unit.cli.conftest import Polystack

SLO = {"ttft": "100ms"}


@pytest.fixture
def loaded(results: Path) -> None:
    with Store(results / "polystack.sqlite") as store:
        record_load(store, [LLAMA, OLLAMA], closed_levels([1, 4]), slo=SLO)


@pytest.mark.usefixtures("loaded")
def test_runs_show_and_plot(polystack: Polystack, results: Path) -> None:
    assert "1, 4 users" in polystack("runs").out
    shown = polystack("show")
    assert shown.code == 0
    assert "95% interval" in shown.out
    assert "goodput" in shown.out
    drawn = polystack("plot", "latest")
    assert drawn.code == 0
    names = {path.stem for path in (results / "run-0001").glob("*.png")}
    assert {"ttft", "throughput", "over-time-ollama"} <= names


@pytest.mark.usefixtures("loaded")
@pytest.mark.parametrize("format_name", ["csv", "parquet"])
def test_export(format_name: str, polystack: Polystack, results: Path) -> None:
    assert polystack("export", "--format", format_name).code == 0
    readers: dict[str, Callable[[Path], pd.DataFrame]] = {
        "csv": pd.read_csv,
        "parquet": pd.read_parquet,
    }
    read = readers[format_name]
    folder = results / "run-0001"
    assert len(read(folder / f"requests.{format_name}")) == 2 * 2 * 80
    assert len(read(folder / f"requests-chunks.{format_name}")) == 2 * 2 * 80 * 16

"""The notebooks run through as they are shipped, and on results of somebody else's."""

from __future__ import annotations

from pathlib import Path

import pytest

from python_runner.cli import run_command
from tests.notebooks.kernel import FOLDER, NOTEBOOKS, Executed, execute

STUDY = "1-study-charts.ipynb"
PROMISED = {
    STUDY: ["baseline", "baseline-zoomed", "iterations", "iterations-zoomed"],
    "2-explore.ipynb": [
        *("E2E latency", "TTFT", "TPOT", "TTFT by place after loading"),
        *("E2E latency over time in the run", "E2E latency over iteration"),
        *("The machine's own noise", "ITL over token of the answer", "ITL", "stages"),
    ],
    "3-your-own-question.ipynb": ["TPOT over TTFT", "Later tokens over earlier ones"],
}
MOCKS = "mock-cpp,mock-go,mock-rust,mock-python"


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of results with a run of mocks."""
    folder = tmp_path_factory.mktemp("others") / "results"
    options = ["--stacks", MOCKS, "--iterations", "8", "--results", str(folder)]
    assert run_command(["compare", "demo", *options]) == 0
    return folder


def check(executed: Executed, notebook: Path) -> None:
    assert executed.said() == ""
    pictures = executed.pictures()
    for name in PROMISED[notebook.name]:
        mine = [alt for alt in pictures if alt.startswith((f"{name} of run", f"{name} · "))]
        assert mine, f"{name} is not among {[alt[:40] for alt in pictures]}"
    for alt, picture in pictures.items():
        assert "Tiny model" in alt
        colors = picture.convert("RGB").getcolors(1 << 24)
        assert colors is not None
        assert len(colors) > 50, "an empty picture"


def test_all_that_is_shipped_is_tested() -> None:
    assert {path.name for path in NOTEBOOKS} == set(PROMISED)


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_through_on_the_sample(notebook: Path, tmp_path: Path) -> None:
    before = notebook.read_bytes()
    executed = execute(notebook, tmp_path)
    check(executed, notebook)
    assert notebook.read_bytes() == before
    assert "mistral.rs" in executed.html()


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_through_on_other_results(
    notebook: Path, others: Path, tmp_path: Path
) -> None:
    executed = execute(notebook, tmp_path, run=str(others))
    check(executed, notebook)
    assert "mistral.rs 0" not in executed.html()


def test_a_wrong_run_is_told_in_two_lines(tmp_path: Path) -> None:
    from nbclient.exceptions import CellExecutionError

    with pytest.raises(CellExecutionError) as caught:
        execute(FOLDER / STUDY, tmp_path, run=str(tmp_path / "nowhere"))
    assert caught.value.ename == "StoreError"
    assert "no results at" in caught.value.traceback
    assert "just compare" in caught.value.traceback
    assert "Traceback" not in caught.value.traceback

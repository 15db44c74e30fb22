"""The notebooks as files: without outputs, and honest about the sample."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from python_runner.common.locations import source_root

FILES = sorted((source_root() / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_outputs(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        is_clean = cell.get("execution_count") is None and not cell.get("outputs")
        assert is_clean, "`just clear-notebooks` takes outputs away"
    assert notebook.metadata.kernelspec.name == "python3"  # that of the Python that runs Jupyter


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_notebook_names_its_run_once_and_says_what_the_sample_is(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    named = [
        cell.source for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])
    ]
    assert len(named) == 1
    assert named[0].startswith('RUN = "sample"')
    texts = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert "says nothing about languages" in texts

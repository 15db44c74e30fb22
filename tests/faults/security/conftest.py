"""What several of these tests are given."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from python_runner.common.locations import source_root
from python_runner.models.fingerprint import model_files


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """The tiny model, to be spoilt."""
    folder = tmp_path / "given"
    folder.mkdir()
    for path in model_files(source_root() / "models" / "gemma-2-tiny"):
        shutil.copy(path, folder)
    return folder

"""docs/reliability.md says what the tests do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_page_is_as_the_tests_are() -> None:
    command = [sys.executable, "-m", "tests.faults.table", "--check", "docs/reliability.md"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr

"""The guard of tests/conftest.py works."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest


def test_a_unit_test_cannot_run_a_command() -> None:
    with pytest.raises(pytest.fail.Exception, match="tests/real"):
        subprocess.run([sys.executable, "-c", ""], check=True)


def test_a_unit_test_cannot_fork() -> None:
    with pytest.raises(pytest.fail.Exception, match="tests/real"):
        os.fork()

"""What holds for all tests: unit tests start no process."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import HealthCheck, settings

# Machines are shared: how long an example takes says nothing.
settings.register_profile("polystack", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("polystack")

_UNIT = Path(__file__).parent / "unit"
_STARTERS = ("fork", "forkpty", "posix_spawn", "posix_spawnp")


@pytest.fixture(autouse=True)
def no_process_in_unit_tests(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every way to start a process fails under tests/unit."""
    if request.path.is_relative_to(_UNIT):
        monkeypatch.setattr(subprocess.Popen, "__init__", _refuse)
        for starter in _STARTERS:
            monkeypatch.setattr(os, starter, _refuse, raising=False)


def _refuse(*args: object, **kwargs: object) -> NoReturn:
    pytest.fail("a unit test started a process; such tests belong into tests/real")

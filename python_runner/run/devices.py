"""Where the stacks of a study compute: all on one device, and each on one that it supports."""

from __future__ import annotations

from collections.abc import Mapping

from python_runner.common.errors import UsageError
from python_runner.engines.contract import Engine


def check_devices(device: str, engines: Mapping[str, Engine]) -> None:
    """Raises UsageError if one of the engines does not compute on `device`."""
    for name, candidate in engines.items():
        supported = candidate.spec.devices
        if device not in supported:
            raise UsageError(
                f"{name} does not compute on {device}",
                hint=f"It does on {', '.join(supported)}: leave it out with --stacks, or choose "
                f"--device {supported[0]} for all. A comparison never mixes devices.",
            )

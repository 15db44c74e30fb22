"""How long the way to an engine is, looked at before and after it is measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from python_runner.engines.contract import RunningEngine
from python_runner.engines.outside import NetworkReading, SeenOverNetwork

READINGS = 3
"""At each look. Each asks the server for next to nothing, twice."""


class KeepsNetwork(Protocol):
    """What keeps the readings of the current stack."""

    def keep_network(self, readings: Sequence[NetworkReading]) -> None:
        """They are added to those that are kept."""


def look_at_network(running: RunningEngine, when: str, recorder: KeepsNetwork) -> None:
    """Read it a few times and have that kept; of an engine on this machine there is nothing.

    Args:
        running: the engine, which is asked nothing else meanwhile.
        when: `before` or `after` what is timed.
        recorder: keeps the readings.
    """
    if not isinstance(running, SeenOverNetwork):
        return
    readings: list[NetworkReading] = []
    for _ in range(READINGS):
        readings.append(running.read_network(when))
        if readings[-1].error:
            break  # the next one would wait as long for nothing
    recorder.keep_network(readings)

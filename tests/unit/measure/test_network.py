"""The way to an engine is looked at if there is one, and not again and again if nobody answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from python_runner.engines.contract import Language, Reach, RunningEngine
from python_runner.engines.mock import MockEngine, MockScript, mock_spec
from python_runner.engines.outside import NetworkReading, SeenOverNetwork
from python_runner.measure.network import READINGS, look_at_network
from tests.unit.builders import settings


@dataclass
class Kept:
    readings: list[NetworkReading] = field(default_factory=list)

    def keep_network(self, readings: Sequence[NetworkReading]) -> None:
        self.readings.extend(readings)


def started() -> RunningEngine:
    engine = MockEngine(mock_spec("mock", Language.CPP, Reach.SERVED), MockScript())
    return engine.start(settings(), Path("unused.log"))


class FarAway:
    """A running engine behind a network that answers or does not."""

    def __init__(self, error: str = "") -> None:
        self._running = started()
        self._error = error

    def __getattr__(self, name: str) -> object:
        return getattr(self._running, name)

    def read_network(self, when: str) -> NetworkReading:
        return NetworkReading(when=when, error=self._error)


def looked(running: object) -> list[NetworkReading]:
    kept = Kept()
    look_at_network(running, "after", kept)  # type: ignore[arg-type]  # it stands in for one
    return kept.readings


def test_an_engine_on_this_machine_has_none() -> None:
    assert not isinstance(started(), SeenOverNetwork)
    assert looked(started()) == []


def test_it_is_read_a_few_times() -> None:
    assert looked(FarAway()) == [NetworkReading(when="after")] * READINGS


def test_where_nobody_answers_it_is_asked_once() -> None:
    assert looked(FarAway("timed out")) == [NetworkReading(when="after", error="timed out")]

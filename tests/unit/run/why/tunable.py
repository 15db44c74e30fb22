"""A mock in Go whose collector can be switched off, which is then a tenth faster."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from python_runner.common.clock import NS_PER_MS
from python_runner.engines import mock
from python_runner.engines.contract import Engine
from python_runner.engines.mock import MockEngine, MockScript
from python_runner.engines.variants import one_of, variant_spec

_FASTER = {"off": 0.9, "25": 1.0, "100": 1.0}


def script(factor: float) -> MockScript:
    offsets = tuple(ms * NS_PER_MS for ms in (0, 3, -2, 1, -3, 2, -1, 4))
    return MockScript(
        ttft_ns=int(400 * NS_PER_MS * factor),
        itl_ns=int(100 * NS_PER_MS * factor),
        offsets_ns=offsets,
    )


class TunableMock(MockEngine):
    """Implements `contract.Tunable`, as Ollama does."""

    knobs: Mapping[str, str] = {"gogc": "off, 25 or 100"}

    def tuned(self, knobs: Mapping[str, str]) -> Engine:
        gogc = one_of("gogc", knobs["gogc"], tuple(_FASTER))
        return TunableMock(variant_spec(self.spec, knobs, [f"GOGC {gogc}"]), script(_FASTER[gogc]))


@pytest.fixture
def tunable(monkeypatch: pytest.MonkeyPatch) -> MockEngine:
    """`mock-go` has the knob `gogc`."""
    made = TunableMock(replace(mock.GO.spec), script(1.0))
    monkeypatch.setattr(mock, "GO", made)
    return made

"""What can be told of embedded engines without starting a worker."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from python_runner.common.errors import EngineStartError, GenerationError
from python_runner.common.locations import source_root
from python_runner.common.progress import Progress, SilentProgress
from python_runner.engines.contract import Language, Reach
from python_runner.engines.mock import mock_spec
from python_runner.engines.worker import wire
from python_runner.engines.worker.embedded import EmbeddedEngine
from python_runner.engines.worker.errors import as_error
from python_runner.engines.worker.program import worker_environment


def test_all_thread_pools_get_the_same_size() -> None:
    environment = worker_environment(3)
    sizes = {name: size for name, size in environment.items() if name.endswith("_NUM_THREADS")}
    assert {"OMP_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS"} <= sizes.keys()
    assert set(sizes.values()) == {"3"}


def test_a_worker_runs_this_checkout_and_keeps_the_users_path(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    assert worker_environment(1)["PYTHONPATH"] == os.pathsep.join(
        [str(source_root()), "/elsewhere"]
    )
    monkeypatch.delenv("PYTHONPATH")
    assert worker_environment(1)["PYTHONPATH"] == str(source_root())


def test_preparing_is_passed_on() -> None:
    calls: list[Progress] = []
    spec = mock_spec("paper", Language.PYTHON, Reach.EMBEDDED)
    engine = EmbeddedEngine(spec=spec, prepare=calls.append, loader="paper:load")
    progress = SilentProgress()
    engine.prepare(progress)
    assert calls == [progress]
    assert engine.spec is spec


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("GenerationError", GenerationError),
        ("EngineStartError", EngineStartError),
        ("ModelError", EngineStartError),
        ("Nonsense", EngineStartError),
    ],
)
def test_what_a_worker_reports_becomes_an_engines_error(
    kind: str, expected: type[Exception]
) -> None:
    error = as_error(wire.Failure(kind=kind, message="m", hint="h"), Path("x.log"))
    assert type(error) is expected
    assert (error.message, error.hint) == ("m", "h")


def test_a_failure_without_a_hint_points_to_the_log() -> None:
    error = as_error(wire.Failure(kind="GenerationError", message="m", hint=""), Path("x.log"))
    assert "x.log" in error.hint

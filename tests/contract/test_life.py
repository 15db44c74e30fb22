"""The contract of an engine: how it begins and ends. No process may ever be left behind."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from python_runner.common.errors import EngineCrashError, EngineError, ModelError
from python_runner.engines.contract import GenerateRequest
from python_runner.models import Model
from tests.contract.data import HELD_OUT
from tests.contract.fleet import ANSWER_TOKENS, Fleet
from tests.contract.names import names_under_test
from tests.contract.processes import Asking, alive, family, no_process_left

REAL = pytest.mark.parametrize("name", names_under_test())


@pytest.fixture(autouse=True)
def nothing_left(fleet: Fleet, request: pytest.FixtureRequest) -> Iterator[None]:
    if "name" in request.fixturenames:
        fleet.prepared(request.getfixturevalue("name"))  # what a stand-in needs stays for others
    with no_process_left():
        yield


@REAL
def test_stop_ends_all_processes_and_can_be_repeated(fleet: Fleet, name: str) -> None:
    running = fleet.start(name)
    running.generate(fleet.request(HELD_OUT[0], new_tokens=2))
    pids = family(running.process_ids())
    assert alive(pids) == pids
    running.stop()
    running.stop()
    assert not alive(pids)


@REAL
def test_kill_in_mid_stream_is_a_crash_and_leaves_nothing(fleet: Fleet, name: str) -> None:
    with fleet.start(name) as running:
        pids = family(running.process_ids())
        asking = Asking(running, long_request(fleet))
        asking.wait_for_answers(1)
        os.kill(running.process_ids()[0], signal.SIGKILL)
        asking.end()
        assert isinstance(asking.error, EngineCrashError)
        assert "SIGKILL" in asking.error.message
        with pytest.raises(EngineCrashError):
            running.generate(fleet.request(HELD_OUT[0], new_tokens=1))
    assert not alive(pids)


@REAL
def test_stop_from_another_thread_in_mid_stream(fleet: Fleet, name: str) -> None:
    running = fleet.start(name)
    pids = family(running.process_ids())
    asking = Asking(running, long_request(fleet))
    asking.wait_for_answers(1)
    running.stop()
    asking.end()
    assert isinstance(asking.error, EngineError)
    assert not alive(pids)


@REAL
@pytest.mark.parametrize("damage", ["no weights", "half of the weights"])
def test_a_broken_model_is_an_error_and_leaves_nothing(
    fleet: Fleet, name: str, damage: str, tmp_path: Path
) -> None:
    broken = damaged(fleet.model, tmp_path, keep=0.5 if damage.startswith("half") else 0.0)
    with pytest.raises((EngineError, ModelError)) as raised:
        fleet.start(name, broken).stop()
    assert raised.value.message


def long_request(fleet: Fleet) -> GenerateRequest:
    return fleet.request(HELD_OUT[0], new_tokens=ANSWER_TOKENS)


def damaged(model: Model, folder: Path, *, keep: float) -> Model:
    """A copy of the model with this part of each weights file; 0: without any."""
    copy = folder / "model"
    shutil.copytree(model.folder, copy)
    gguf = {}
    for precision, path in model.gguf.items():
        gguf[precision] = copy / f"{precision}.gguf"
        shutil.copy(path, gguf[precision])
    ct2 = {kind: copy / f"ct2-{kind}" for kind in model.ct2}
    for kind, path in model.ct2.items():
        shutil.copytree(path, ct2[kind])
    gptq = copy / "gptq" if model.gptq else None
    if model.gptq and gptq:
        shutil.copytree(model.gptq, gptq)
    forms = ("*.safetensors", "*.gguf", "*/model.bin", "*/model.safetensors")
    for weights in [path for form in forms for path in copy.glob(form)]:
        if keep:
            os.truncate(weights, int(weights.stat().st_size * keep))
        else:
            weights.unlink()
    return replace(
        model, folder=copy, gguf=gguf, ct2=ct2, gptq=gptq, source_sha256=f"damaged {keep}"
    )

"""The tiny model and the engines that run it, made once for all contract tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from python_runner.common.progress import SilentProgress
from python_runner.models import Model, prepare_model
from tests.contract.fleet import Fleet


@pytest.fixture(scope="session")
def tiny_model() -> Model:
    return prepare_model("gemma-2-tiny", {"safetensors", "gguf"}, "bf16", SilentProgress())


@pytest.fixture(scope="session")
def fleet(tiny_model: Model, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    engines = Fleet(tiny_model, tmp_path_factory.mktemp("engine-logs"))
    yield engines
    engines.stop()

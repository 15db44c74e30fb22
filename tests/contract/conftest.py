"""The tiny model and the engines that run it, made once for all contract tests."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from python_runner.common.errors import SetupError
from python_runner.common.progress import SilentProgress
from python_runner.engines.build.ollama import ollama_build
from python_runner.engines.ollama_installed import BINARY_VARIABLE, find_binary
from python_runner.models import Model, prepare_model
from tests.contract.fleet import Fleet


@pytest.fixture(scope="session")
def tiny_model() -> Model:
    return prepare_model("gemma-2-tiny", {"safetensors", "gguf"}, "bf16", SilentProgress())


@pytest.fixture(scope="session", autouse=True)
def installed_ollama() -> Iterator[None]:
    """Where the user has installed no Ollama, the one that is built here is taken for it."""
    with pytest.MonkeyPatch.context() as patch:
        try:
            find_binary(os.environ)
        except SetupError:
            patch.setenv(BINARY_VARIABLE, str(ollama_build(SilentProgress()).binary))
        yield


@pytest.fixture(scope="session")
def fleet(tiny_model: Model, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    engines = Fleet(tiny_model, tmp_path_factory.mktemp("engine-logs"))
    yield engines
    engines.stop()

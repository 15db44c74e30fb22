"""The tiny model and the engines that run it, made once for all contract tests."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from python_runner.common.errors import SetupError, ToolMissingError
from python_runner.common.progress import SilentProgress
from python_runner.engines.build.llamacpp import llama_quantize
from python_runner.engines.build.ollama import ollama_build
from python_runner.engines.llamafile_find import VARIABLE, find_llamafile
from python_runner.engines.ollama_installed import BINARY_VARIABLE, find_binary
from python_runner.engines.table import engine, engine_names
from python_runner.models import Model, prepare_model
from tests.contract.fleet import Fleet
from tests.llamafile_script import write_llamafile_script


@pytest.fixture(scope="session")
def tiny_model() -> Model:
    read = {each.gguf for name in engine_names() for each in engine(name).spec.formats.values()}
    return prepare_model("gemma-2-tiny", read - {""}, SilentProgress(), quantiser=llama_quantize)


@pytest.fixture(scope="session")
def installed_ollama() -> Iterator[None]:
    """Where the user has installed no Ollama, the one that is built here is taken for it."""
    with pytest.MonkeyPatch.context() as patch:
        try:
            find_binary(os.environ)
        except SetupError:
            patch.setenv(BINARY_VARIABLE, str(ollama_build(SilentProgress()).binary))
        yield


@pytest.fixture(scope="session")
def llamafile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The machine's own llamafile, and where it has none a script that is llama-server."""
    with pytest.MonkeyPatch.context() as patch:
        try:
            find_llamafile()
        except ToolMissingError:
            script = write_llamafile_script(tmp_path_factory.mktemp("llamafile"))
            patch.setenv(VARIABLE, str(script))
        yield


@pytest.fixture(scope="session")
def fleet(
    tiny_model: Model,
    llamafile: None,
    installed_ollama: None,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Fleet]:
    engines = Fleet(tiny_model, tmp_path_factory.mktemp("engine-logs"))
    yield engines
    engines.stop()

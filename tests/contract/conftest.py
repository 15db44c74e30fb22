"""The tiny model and the engines that run it, made once for all contract tests."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from python_runner.common.errors import SetupError, ToolMissingError
from python_runner.common.progress import SilentProgress
from python_runner.engines.build.gptq import gptq_packages
from python_runner.engines.build.llamacpp import llama_quantize
from python_runner.engines.build.ollama import ollama_build
from python_runner.engines.llama.llamafile_find import VARIABLE, find_llamafile
from python_runner.engines.mistralrs.engine import end_ids
from python_runner.engines.ollama.installed import BINARY_VARIABLE, find_binary
from python_runner.engines.servers.read import shipped_servers
from python_runner.engines.table import engine, engine_names
from python_runner.models import Model, prepare_model
from tests.contract.data import END_PROMPT, HELD_OUT, TOKENIZER_CASES
from tests.contract.fleet import CONTEXT, KEYS, Fleet
from tests.contract.names import names_under_test
from tests.llamafile_script import write_llamafile_script
from tests.servers import brought


@pytest.fixture(scope="session")
def tiny_model() -> Model:
    read = [each for name in engine_names() for each in engine(name).spec.formats.values()]
    tested = (engine(name).spec for name in names_under_test())
    is_gptq_tested = any(spec.model_format == "gptq" for spec in tested)
    return prepare_model(
        "gemma-2-tiny",
        {each.gguf for each in read} - {""},
        SilentProgress(),
        quantiser=llama_quantize,
        ct2={each.ct2 for each in read} - {""},
        gptq=gptq_packages if is_gptq_tested else None,
    )


def _installed_ollama(folder: Path) -> Mapping[str, str]:
    """Where the user has installed no Ollama, the one that is built here is taken for it."""
    try:
        find_binary(os.environ)
    except SetupError:
        return {BINARY_VARIABLE: str(ollama_build(SilentProgress()).binary)}
    return {}


def _llamafile(folder: Path) -> Mapping[str, str]:
    """The machine's own llamafile, and where it has none a script that is llama-server."""
    try:
        find_llamafile()
    except ToolMissingError:
        return {VARIABLE: str(write_llamafile_script(folder))}
    return {}


REFERENCE = "transformers"
STAND_INS: Mapping[str, Callable[[Path], Mapping[str, str]]] = {
    "llamafile": _llamafile,
    "ollama-installed": _installed_ollama,
}
"""For each engine that a user brings: variables by which something else is taken for it."""


def recorded(fleet: Fleet) -> brought.Told:
    """What stand-ins without a model say: the reference's answers to all prompts of the suite."""
    answers = {
        fleet.tokenizer.encode(prompt): fleet.answer(REFERENCE, prompt).token_ids or ()
        for prompt in (*HELD_OUT, END_PROMPT)
    }
    for case in TOKENIZER_CASES:
        answers[case.ids] = fleet.ask(REFERENCE, case.text, new_tokens=2).token_ids or ()
    return brought.Told(answers=answers, ends=end_ids(fleet.model.folder), context=CONTEXT)


@pytest.fixture(scope="session")
def fleet(tiny_model: Model, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with pytest.MonkeyPatch.context() as patch:
        for key, value in KEYS.items():
            patch.setenv(key, value)

        def bring(name: str) -> None:
            # Only for an engine under test: `-k` with one engine does not build the others.
            folder = tmp_path_factory.mktemp(name)
            variables: Mapping[str, str] = {}
            if name in STAND_INS:
                variables = STAND_INS[name](folder)
            elif name in shipped_servers():
                variables = brought.bring(name, folder, recorded(engines))
                engines.folders[name] = brought.with_weights(
                    name, tiny_model.folder, folder / "weights"
                )
            for variable, value in variables.items():
                patch.setenv(variable, value)

        engines = Fleet(tiny_model, tmp_path_factory.mktemp("engine-logs"), bring=bring)
        yield engines
        engines.stop()

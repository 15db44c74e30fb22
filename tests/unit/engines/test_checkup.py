"""What is said of an engine from what it says itself."""

from pathlib import Path

import pytest

from python_runner.common.build.survey import Surveyed, Work
from python_runner.common.checkup import State
from python_runner.common.errors import SetupError, ToolMissingError
from python_runner.engines import checkup
from python_runner.engines.checkup import EnginesCheckup, finding_of, survey
from python_runner.engines.contract import Engine
from python_runner.engines.mock import CPP


def surveyed(*missing: Work, problem: SetupError | None = None) -> Surveyed:
    return Surveyed(used=(Path("build"),), missing=missing, problem=problem)


def test_an_engine_with_nothing_to_do_is_ready() -> None:
    assert finding_of("x", surveyed(), is_needed=True).state is State.READY
    assert survey(CPP).missing == ()


def test_what_would_be_built_is_told_with_the_time() -> None:
    works = (
        Work(title="Building llama.cpp 0c1e57098", expected_s=300.0),
        Work(title="Building polystack-llama", expected_s=20.0),
    )
    finding = finding_of("llama.cpp", surveyed(*works), is_needed=True)
    assert finding.state is State.LATER
    assert finding.detail == "building llama.cpp 0c1e57098, then building polystack-llama"
    assert finding.expected_s == 320.0
    assert finding.mend == "polystack build --stacks llama.cpp"


def test_what_is_missing_is_told_with_what_to_type() -> None:
    problem = ToolMissingError("go was not found", hint="sudo apt install golang-go")
    finding = finding_of("ollama", surveyed(problem=problem), is_needed=True)
    assert finding.state is State.MISSING
    assert (finding.detail, finding.mend) == ("go was not found", "sudo apt install golang-go")


def test_an_engine_that_cannot_even_be_imported_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(name: str) -> Engine:
        if name != "transformers":
            raise SetupError("cannot be imported", hint="update it")
        return CPP

    names = ("transformers", "broken", "ollama-installed")
    monkeypatch.setattr(checkup, "engine_names", lambda: names)
    monkeypatch.setattr(checkup, "engine", load)
    ready, broken, not_installed = EnginesCheckup().look()
    assert not_installed.state is State.NOTE
    assert (ready.state, ready.is_needed) == (State.READY, True)
    assert (broken.state, broken.is_needed) == (State.MISSING, False)


def test_what_only_a_gpu_runs_is_one_finding_where_there_is_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(checkup, "engine_names", lambda: ("vllm", "transformers-gptq", "tgi"))
    monkeypatch.setattr(checkup, "survey", lambda _: surveyed())
    monkeypatch.setattr(checkup, "has_gpu", lambda: False)
    own, on_a_gpu = EnginesCheckup(folds_gpu=True).look()
    assert own.subject == "transformers-gptq"
    assert on_a_gpu.state is State.NOTE
    assert on_a_gpu.detail.startswith("2 stacks")
    assert on_a_gpu.detail.endswith("vllm, tgi")

    every = ["vllm", "transformers-gptq", "tgi"]
    assert [each.subject for each in EnginesCheckup().look()] == every
    monkeypatch.setattr(checkup, "has_gpu", lambda: True)
    assert [each.subject for each in EnginesCheckup(folds_gpu=True).look()] == every

"""Which Ollama of the user's is taken, and what it says it is."""

import subprocess
from pathlib import Path

import pytest

from python_runner.common.errors import SetupError
from python_runner.common.progress import SilentProgress
from python_runner.engines.ollama.installed import client_version, find_binary, installed_ollama

PRINTED = (
    "Warning: could not connect to a running Ollama instance\nWarning: client version is 1.2\n"
)


def program(folder: Path, name: str = "ollama") -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_the_named_program_comes_before_the_one_on_path(tmp_path: Path) -> None:
    on_path, named = program(tmp_path / "bin"), program(tmp_path, "mine")
    environment = {"PATH": str(on_path.parent)}
    assert find_binary(environment) == on_path
    assert find_binary({**environment, "OLLAMA_BINARY": str(named)}) == named


@pytest.mark.parametrize("named", ["", "/no/such/program"])
def test_where_there_is_none_it_is_said_what_to_do(tmp_path: Path, named: str) -> None:
    with pytest.raises(SetupError) as raised:
        find_binary({"PATH": str(tmp_path), "OLLAMA_BINARY": named})
    assert "OLLAMA_BINARY" in raised.value.hint
    assert named in raised.value.message


def test_the_version_is_the_programs_and_not_a_running_servers() -> None:
    assert client_version(PRINTED) == "1.2"
    assert client_version("ollama version is 9.9\n") is None


def test_the_user_s_server_is_not_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, str] = {}

    def run(command: object, *, env: dict[str, str], **_: object) -> object:
        asked.update(env)
        return subprocess.CompletedProcess(["ollama"], 0, stdout=PRINTED, stderr="")

    monkeypatch.setenv("OLLAMA_BINARY", str(program(tmp_path)))
    monkeypatch.setenv("OLLAMA_HOST", "http://127.0.0.1:11434")
    monkeypatch.setattr(subprocess, "run", run)
    found = installed_ollama(SilentProgress())
    assert asked["OLLAMA_HOST"] == "http://127.0.0.1:9"
    assert found.version == "1.2"
    assert str(tmp_path) in found.facts["package"]


def test_a_program_that_does_not_say_its_version_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(*_: object, **__: object) -> object:
        return subprocess.CompletedProcess(["ollama"], 1, stdout="", stderr="no libraries\n")

    monkeypatch.setenv("OLLAMA_BINARY", str(program(tmp_path)))
    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(SetupError, match="no libraries"):
        installed_ollama(SilentProgress())

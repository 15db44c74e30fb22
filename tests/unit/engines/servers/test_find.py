"""Where a server of the catalogue is looked for, and what is said when it is not there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from python_runner.common.errors import SetupError, ToolMissingError
from python_runner.engines.servers.find import find_server, shipped_by_user
from python_runner.engines.servers.read import shipped_servers
from python_runner.engines.servers.schema import Find, ServerRow
from python_runner.engines.servers.words import Filling

VLLM = shipped_servers()["vllm"]
TABBY = shipped_servers()["exllamav3"]


def program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("")
    path.chmod(0o755)
    return path


def with_find(row: ServerRow, **changes: object) -> ServerRow:
    find = Find.model_validate({"variable": "POLYSTACK_X", "install": "Get it.", **changes})
    return row.model_copy(update={"find": find})


def test_on_path(tmp_path: Path) -> None:
    where = program(tmp_path / "vllm")
    assert find_server(VLLM, {"PATH": str(tmp_path)}).program == where


def test_the_variable_comes_before_path(tmp_path: Path) -> None:
    program(tmp_path / "path" / "vllm")
    named = program(tmp_path / "other")
    given = {"PATH": str(tmp_path / "path"), "POLYSTACK_VLLM": str(named)}
    assert find_server(VLLM, given).program == named


def test_an_environment(tmp_path: Path) -> None:
    where, python = program(tmp_path / "bin" / "vllm"), program(tmp_path / "bin" / "python")
    found = find_server(VLLM, {"POLYSTACK_VLLM": str(tmp_path)})
    assert (found.program, found.python) == (where, python)


def test_a_module_of_an_environment(tmp_path: Path) -> None:
    python = program(tmp_path / "bin" / "python")
    row = with_find(VLLM, module="some.server")
    assert find_server(row, {"POLYSTACK_X": str(tmp_path)}).python == python


def test_a_folder_of_sources(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("")
    python = program(tmp_path / "venv" / "bin" / "python")
    found = find_server(TABBY, {"POLYSTACK_TABBYAPI": str(tmp_path)})
    assert (found.home, found.python) == (tmp_path, python)
    assert found.words == {"home": str(tmp_path), "python": str(python)}


def test_sources_without_a_python(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("")
    with pytest.raises(SetupError, match="there is no Python for") as raised:
        find_server(TABBY, {"POLYSTACK_TABBYAPI": str(tmp_path)})
    assert raised.value.hint == TABBY.find.install


@pytest.mark.parametrize(("row", "lost"), [(VLLM, "bin/vllm"), (TABBY, "main.py")])
def test_a_variable_that_names_nothing(row: ServerRow, lost: str, tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=lost):
        find_server(row, {row.find.variable: str(tmp_path)})


def test_nothing_is_there() -> None:
    with pytest.raises(ToolMissingError) as raised:
        find_server(VLLM, {"PATH": "/nowhere"})
    assert "PATH has no `vllm`" in raised.value.message
    assert "POLYSTACK_VLLM" in raised.value.hint
    assert "POLYSTACK_VLLM_IMAGE=vllm/vllm-openai" in raised.value.hint


def test_an_image_needs_a_program_to_run_it(tmp_path: Path) -> None:
    given = {"PATH": str(tmp_path), "POLYSTACK_VLLM_IMAGE": "some/image:1"}
    with pytest.raises(ToolMissingError, match="POLYSTACK_CONTAINER no program"):
        find_server(VLLM, given)
    with pytest.raises(ToolMissingError, match="there is no such program"):
        find_server(VLLM, {**given, "POLYSTACK_CONTAINER": "docker"})
    docker = program(tmp_path / "docker")
    found = find_server(VLLM, {**given, "POLYSTACK_CONTAINER": "docker"})
    assert (found.container, found.image, found.place) == (docker, "some/image:1", "some/image:1")


def test_not_every_server_is_run_from_an_image() -> None:
    with pytest.raises(SetupError, match="is not run from one here"):
        find_server(TABBY, {"POLYSTACK_TABBYAPI_IMAGE": "some/image:1"})


def test_what_the_user_has_installed_is_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = program(tmp_path / "bin" / "vllm")
    monkeypatch.setenv("POLYSTACK_VLLM", str(alone))
    assert shipped_by_user(VLLM) == (alone,)
    (tmp_path / "pyvenv.cfg").write_text("")
    assert shipped_by_user(VLLM) == (tmp_path,)
    monkeypatch.setenv("POLYSTACK_VLLM_IMAGE", "some/image:1")
    monkeypatch.setenv("POLYSTACK_CONTAINER", str(alone))
    with pytest.raises(SetupError, match="size is not counted"):
        shipped_by_user(VLLM)


def test_a_placeholder_that_is_not_known_is_told() -> None:
    filling = Filling(server="vLLM", known={"port": "1", "path": os.sep})
    assert filling("--port={port}") == "--port=1"
    with pytest.raises(SetupError, match="nothing is known for 'python'"):
        filling("{python}")

"""Tools are found in our own environment first, and a missing one is explained."""

import os
import sys
from pathlib import Path

import pytest

from python_runner.common.build import toolchain
from python_runner.common.build.commands import require_tool, search_path
from python_runner.common.errors import ToolMissingError


def program(folder: Path, name: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the virtual environment's programs; PATH is another one."""
    monkeypatch.setattr(sys, "executable", str(tmp_path / "venv" / "python"))
    monkeypatch.setenv("PATH", str(tmp_path / "system"))
    return tmp_path / "venv"


def test_our_own_environment_comes_first(ours: Path, tmp_path: Path) -> None:
    program(tmp_path / "system", "cmake")
    own = program(ours, "cmake")

    assert require_tool("cmake", "a build", "install it") == str(own)
    assert search_path().split(os.pathsep) == [str(ours), str(tmp_path / "system")]


def test_the_system_is_searched_too(ours: Path, tmp_path: Path) -> None:
    compiler = program(tmp_path / "system", "c++")

    assert require_tool("c++", "a build", "install it") == str(compiler)


def test_a_missing_tool_is_explained(ours: Path) -> None:
    with pytest.raises(ToolMissingError, match=r"c\+\+ was not found; the C\+\+ stack") as caught:
        require_tool("c++", "the C++ stack", "apt install it")
    assert caught.value.hint == "apt install it"


@pytest.mark.parametrize(
    ("find", "hint"),
    [
        (toolchain.c_compilers, "apt install build-essential"),
        (toolchain.rust_version, "brew install rustup"),
        (toolchain.cmake_and_ninja, "just setup"),
    ],
)
def test_every_toolchain_says_how_to_get_it(ours: Path, find: object, hint: str) -> None:
    assert callable(find)
    with pytest.raises(ToolMissingError) as caught:
        find("a build")
    assert hint in caught.value.hint

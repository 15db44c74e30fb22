"""Where a llamafile is looked for, and what is read from it."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from python_runner.common.errors import SetupError, ToolMissingError
from python_runner.engines.llama.llamafile_find import (
    Family,
    family_of,
    locate,
    packed_into,
    version_of,
)

FILE = Path("some.llamafile")


def put(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    return path


@pytest.fixture
def on_path(tmp_path: Path) -> Path:
    file = put(tmp_path / "bin" / "llamafile")
    file.chmod(0o755)
    return file


def test_the_variable_comes_first(tmp_path: Path, on_path: Path) -> None:
    named = put(tmp_path / "elsewhere" / "gemma.llamafile")
    environment = {"LLAMAFILE": str(named), "PATH": str(on_path.parent)}
    assert locate(environment, [tmp_path]) == named


def test_a_variable_that_names_nothing_is_a_mistake(tmp_path: Path, on_path: Path) -> None:
    environment = {"LLAMAFILE": str(tmp_path / "gone"), "PATH": str(on_path.parent)}
    with pytest.raises(SetupError, match="there is no such file") as raised:
        locate(environment, [tmp_path])
    assert not isinstance(raised.value, ToolMissingError)


def test_then_the_path_is_searched(tmp_path: Path, on_path: Path) -> None:
    put(tmp_path / "models" / "gemma.llamafile")
    assert locate({"PATH": str(on_path.parent)}, [tmp_path]) == on_path


@pytest.mark.parametrize("where", ["checkout", "current"])
def test_then_the_folders_of_models(tmp_path: Path, where: str) -> None:
    file = put(tmp_path / where / "models" / "gemma-2.Q6_K.llamafile")
    put(tmp_path / where / "models" / "other.gguf")
    assert locate({"PATH": ""}, [tmp_path / "checkout", tmp_path / "current"]) == file


def test_a_folder_that_is_both_counts_once(tmp_path: Path) -> None:
    file = put(tmp_path / "models" / "gemma.llamafile")
    assert locate({}, [tmp_path, tmp_path / "models" / ".."]) == file


def test_of_several_none_is_chosen(tmp_path: Path) -> None:
    put(tmp_path / "models" / "a.llamafile")
    put(tmp_path / "models" / "b.llamafile")
    with pytest.raises(SetupError, match=r"several llamafiles: .*a\.llamafile, .*b\.llamafile"):
        locate({}, [tmp_path])


def test_without_any_it_is_said_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(ToolMissingError) as raised:
        locate({}, [tmp_path / "checkout", tmp_path / "current"])
    assert "LLAMAFILE is not set" in raised.value.message
    assert "PATH" in raised.value.message
    assert str(tmp_path / "checkout" / "models" / "*.llamafile") in raised.value.message
    assert str(tmp_path / "current" / "models" / "*.llamafile") in raised.value.message
    assert "llama-server" in raised.value.hint


@pytest.mark.parametrize("said", ["llamafile v0.10.6\n", "llamafile v0.10.6 - run LLMs\n"])
def test_it_says_its_version(said: str) -> None:
    assert version_of(FILE, said) == "0.10.6"


@pytest.mark.parametrize("said", ["", "version: 1234 (abcdef)", "Exec format error"])
def test_what_does_not_say_its_version_is_no_llamafile(said: str) -> None:
    with pytest.raises(SetupError, match="does not say that it is a llamafile") as raised:
        version_of(FILE, said)
    assert "TMPDIR" in raised.value.hint
    assert "llama-server" in raised.value.hint


@pytest.mark.parametrize(
    ("version", "family"),
    [
        ("0.9.0", Family.OLD),
        ("0.9.3", Family.OLD),
        ("0.10.0", Family.NEW),
        ("0.10.6", Family.NEW),
        ("1.0.0", Family.NEW),
    ],
)
def test_the_version_decides_the_family(version: str, family: Family) -> None:
    assert family_of(FILE, version) is family


def test_an_older_one_is_refused() -> None:
    with pytest.raises(SetupError, match=r"0\.8\.17.*0\.9 is the oldest"):
        family_of(FILE, "0.8.17")


def test_weights_and_arguments_are_read_behind_the_program(tmp_path: Path) -> None:
    file = tmp_path / "gemma.llamafile"
    file.write_bytes(b"MZqFpD='\n" + b"program " * 1000)
    with zipfile.ZipFile(file, "a") as content:
        content.writestr("gemma-2-2b-it.Q6_K.gguf", b"GGUF")
        content.writestr(".args", "-m\ngemma-2-2b-it.Q6_K.gguf\n...\n")
        content.writestr("usr/share/zoneinfo/UTC", b"")
    assert packed_into(file) == (("gemma-2-2b-it.Q6_K.gguf",), ("-m", "gemma-2-2b-it.Q6_K.gguf"))


def test_a_plain_one_has_nothing_inside(tmp_path: Path) -> None:
    assert packed_into(put(tmp_path / "plain.llamafile")) == ((), ())

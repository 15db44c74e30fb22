"""How a llamafile is started, and what it is said to be."""

from __future__ import annotations

import os
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from python_runner.common.errors import SetupError, ToolMissingError
from python_runner.common.progress import SilentProgress
from python_runner.engines.llama import llamafile as module
from python_runner.engines.llama.llamafile import ENGINE, describe, served_cpp, server_arguments
from python_runner.engines.llama.llamafile_find import Family, Llamafile
from python_runner.engines.llama.served import Started
from tests.unit.engines.helpers import settings_for

NEW = Llamafile(
    path=Path("/opt/some.llamafile"),
    version="0.10.6",
    family=Family.NEW,
    weights=(),
    arguments=(),
)
OLD = replace(NEW, version="0.9.3", family=Family.OLD)
STARTED = Started(props={"build_info": "b1-abcdef0"}, log="CPU : AVX = 1 | AVX2 = 1 | \n")


def arguments(found: Llamafile, folder: Path) -> list[str]:
    settings = settings_for(folder, threads=3, context=64)
    return [str(word) for word in server_arguments(found, folder / "m.gguf", settings, 4711)]


@pytest.mark.parametrize("found", [NEW, OLD], ids=["0.10", "0.9"])
def test_both_families_get_the_same_work(found: Llamafile, tmp_path: Path) -> None:
    words = arguments(found, tmp_path)
    assert words[0] == "--server"
    assert set(pairwise(words)) >= {
        ("-m", str(tmp_path / "m.gguf")),
        ("--gpu", "disable"),
        ("--host", "127.0.0.1"),
        ("--port", "4711"),
        ("-t", "3"),
        ("-tb", "3"),
        ("-c", "64"),
        ("-np", "1"),
    }


def test_the_new_family_ends_at_the_old_ones_words(tmp_path: Path) -> None:
    words = arguments(NEW, tmp_path)
    assert "--nobrowser" not in words
    assert set(pairwise(words)) >= {("-fa", "off"), ("-ctk", "f16"), ("-ctv", "f16")}


def test_the_old_family_takes_fa_for_on(tmp_path: Path) -> None:
    words = arguments(OLD, tmp_path)
    assert "--nobrowser" in words
    assert "-fa" not in words
    assert "--v2" not in words


def test_the_version_and_what_is_inside_are_told() -> None:
    packed = replace(NEW, weights=("gemma.Q6_K.gguf",), arguments=("-m", "gemma.Q6_K.gguf"))
    found = describe(packed, STARTED)
    assert found.version == "0.10.6"
    assert found.build["file"] == "some.llamafile"
    assert found.build["llama.cpp inside"] == "b1-abcdef0"
    assert found.build["instruction sets"] == "AVX AVX2"
    assert found.build["weights inside"] == "gemma.Q6_K.gguf, not used"
    assert found.build["arguments inside"] == "-m gemma.Q6_K.gguf"


def test_what_a_llamafile_does_not_say_is_marked() -> None:
    found = describe(OLD, Started(props={}, log=""))
    assert found.version == "0.9.3"
    assert found.build["llama.cpp inside"] == "not said"
    assert found.build["instruction sets"] == "not said"
    assert found.build["weights inside"] == "none"
    assert "0.9" in found.build["family"]
    assert all(found.build.values())


def test_a_version_that_is_known_to_be_slow_says_so() -> None:
    assert "slower" in describe(replace(NEW, version="0.10.1"), STARTED).build["known"]
    assert "known" not in describe(NEW, STARTED).build


def test_without_a_llamafile_it_is_not_prepared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere(monkeypatch, tmp_path)
    with pytest.raises(ToolMissingError, match="no llamafile") as raised:
        ENGINE.prepare(SilentProgress())
    assert "llama-server" in raised.value.hint


def test_the_stand_in_is_chosen_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere(monkeypatch, tmp_path)
    assert served_cpp() == "llama-server"
    monkeypatch.setattr(module, "find_llamafile", lambda: NEW)
    assert served_cpp() == "llamafile"


def test_a_mistake_is_not_covered_by_the_stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLAMAFILE", "/nowhere/at/all.llamafile")
    with pytest.raises(SetupError, match="no such file"):
        served_cpp()


def nowhere(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """A machine without any llamafile."""
    monkeypatch.delenv("LLAMAFILE", raising=False)
    monkeypatch.setenv("PATH", os.fspath(folder))
    monkeypatch.setattr("python_runner.engines.llama.llamafile_find.source_root", lambda: folder)
    monkeypatch.chdir(folder)

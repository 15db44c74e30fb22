"""How Ollama is compiled."""

from __future__ import annotations

from pathlib import Path

import pytest

from python_runner.common.build.cpu import CpuFlags
from python_runner.common.build.toolchain import Compilers
from python_runner.common.errors import BuildFailedError
from python_runner.common.locations import source_root
from python_runner.engines.build.ollama import build_arguments, build_environment
from python_runner.engines.build.ollama_source import pinned_version

COMPILERS = Compilers(c="/usr/bin/cc", cxx="/usr/bin/c++", version="c++ 12.2.0")
FLAGS = CpuFlags(
    ggml=("-DGGML_NATIVE=OFF",),
    c=("-O3", "-march=native", "-mno-amx-tile"),
    rust=("-Ctarget-cpu=native",),
    instruction_sets=("avx2",),
)


def test_the_version_is_the_one_that_the_module_pins() -> None:
    text = (source_root() / "native" / "go" / "go.mod").read_text(encoding="utf-8")
    assert pinned_version(text) == "0.17.4"


def test_other_modules_of_the_same_beginning_are_not_meant() -> None:
    text = (
        "require (\n\tgithub.com/ollama/ollama-extra v9.9.9\n\tgithub.com/ollama/ollama v1.2.3\n)"
    )
    assert pinned_version(text) == "1.2.3"


def test_a_module_that_pins_nothing_cannot_be_built() -> None:
    with pytest.raises(BuildFailedError, match=r"go\.mod"):
        pinned_version("module x\n\ntool github.com/ollama/ollama\n")


def test_the_version_is_stamped_and_the_lock_is_kept() -> None:
    words = build_arguments("0.17.4")
    assert "-mod=readonly" in words
    assert "-trimpath" in words
    assert "-X github.com/ollama/ollama/version.Version=0.17.4" in words[-1]


def test_c_and_cpp_get_the_flags_that_llama_cpp_gets() -> None:
    found = build_environment(COMPILERS, FLAGS, Path("/a folder/vendor"))
    assert found["CGO_CFLAGS"] == found["CGO_CXXFLAGS"] == "-O3 -march=native -mno-amx-tile"
    assert found["CC"] == "/usr/bin/cc"
    assert found["CXX"] == "/usr/bin/c++"


def test_the_folder_of_the_headers_may_hold_a_space() -> None:
    found = build_environment(COMPILERS, FLAGS, Path("/a folder/vendor"))
    assert found["CGO_CPPFLAGS"] == '"-I/a folder/vendor"'


def test_the_users_own_go_flags_do_not_count() -> None:
    found = build_environment(COMPILERS, FLAGS, Path("/v"))
    assert found["GOFLAGS"] == ""
    assert found["GOWORK"] == "off"

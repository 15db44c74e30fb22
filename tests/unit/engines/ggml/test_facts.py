"""What stacks on ggml say of it, and the knobs of its build."""

from __future__ import annotations

import json
import platform
from pathlib import Path

import pytest

from python_runner.common.build.baseline import baseline_flags
from python_runner.common.build.cpu import CpuFlags
from python_runner.common.build.toolchain import Compilers
from python_runner.common.errors import UsageError
from python_runner.engines.build.ggml import LLAMA_CPP, OLLAMA, GgmlOptions, cgo_defines
from python_runner.engines.build.llamacpp import ggml_number
from python_runner.engines.build.llamacpp_variant import LlamaBuild
from python_runner.engines.build.ollama import (
    build_environment,
    build_name,
    ggml_recipe,
    go_flags,
)
from python_runner.engines.build.ollama_source import read_source
from python_runner.engines.ggml.facts import (
    DEFINES,
    OPENMP_THREADS,
    OWN_THREADS_ANEW,
    OWN_THREADS_KEPT,
    THREADING,
    VERSION,
    WEIGHTS_FILE,
    features_logged,
    ggml_facts,
)
from python_runner.engines.ggml.knobs import llama_variant, ollama_options
from python_runner.engines.llama.llamacpp import ggml_version
from python_runner.engines.ollama.server import read_log
from python_runner.engines.table import engine
from python_runner.engines.tuning import Tunable

COMPILERS = Compilers(c="/bin/cc", cxx="/bin/c++", version="c++ 12.2")
FLAGS = CpuFlags(ggml=(), c=("-O3", "-march=native"), rust=(), instruction_sets=("avx2",))
UPSTREAM = "SSE3 AVX2 LLAMAFILE OPENMP REPACK"
OLLAMAS = "SSE3 AVX2 LLAMAFILE"
IS_X86 = platform.machine().lower() in {"x86_64", "amd64"}


def test_what_ggml_reports_becomes_facts() -> None:
    found = ggml_facts(version="1.2", features=UPSTREAM, keeps_threads=True, is_mapped=True)
    assert found == {
        VERSION: "1.2",
        DEFINES: "OpenMP on, repacking on, llamafile's sgemm on",
        THREADING: OPENMP_THREADS,
        WEIGHTS_FILE: "mapped into memory",
    }


def test_without_openmp_a_pool_makes_the_difference() -> None:
    kept, anew = (
        ggml_facts(version="1.2", features=OLLAMAS, keeps_threads=keeps, is_mapped=False)
        for keeps in (True, False)
    )
    assert (kept[THREADING], anew[THREADING]) == (OWN_THREADS_KEPT, OWN_THREADS_ANEW)
    assert kept[DEFINES] == "OpenMP off, repacking off, llamafile's sgemm on"
    assert kept[WEIGHTS_FILE] == "read into memory"


def test_what_is_not_known_is_not_made_up() -> None:
    found = ggml_facts(version="", features="", keeps_threads=False, is_mapped=None)
    assert found == {VERSION: "not known"}
    assert features_logged("not logged") == ""
    assert features_logged("AVX2") == "AVX2"


def test_the_builds_as_they_are_have_no_knob_turned() -> None:
    assert llama_variant({}).build.is_usual
    assert ollama_options({}) == OLLAMA
    assert ggml_recipe(OLLAMA) == {}
    assert build_name("ollama", OLLAMA) == "ollama"


@pytest.mark.parametrize(
    ("knob", "changed"),
    [
        ("openmp", GgmlOptions(openmp=False, repack=True)),
        ("repack", GgmlOptions(openmp=True, repack=False)),
        ("sgemm", GgmlOptions(openmp=True, repack=True, sgemm=False)),
    ],
)
def test_each_define_can_be_changed_alone(knob: str, changed: GgmlOptions) -> None:
    found = llama_variant({knob: "off"})
    assert found.build == LlamaBuild(ggml=changed)
    assert (found.keeps_threads, found.maps_file) == (True, True)
    assert llama_variant({knob: "on"}).build.is_usual


def test_like_ollama_is_its_defines_and_its_threads() -> None:
    found = llama_variant({"like": "ollama"})
    assert found.build == LlamaBuild(ggml=OLLAMA)
    assert not found.keeps_threads


def test_ollamas_source_comes_with_its_defines_and_they_can_be_turned_back() -> None:
    assert llama_variant({"source": "ollama"}).build == LlamaBuild(ggml=OLLAMA, is_ollamas=True)
    found = llama_variant({"source": "ollama", "openmp": "on", "pool": "on"})
    assert found.build.ggml == GgmlOptions(openmp=True, repack=False)
    assert found.keeps_threads


def test_how_it_is_run_needs_no_other_build() -> None:
    found = llama_variant({"pool": "off", "mmap": "off"})
    assert found.build.is_usual
    assert (found.keeps_threads, found.maps_file) == (False, False)


@pytest.mark.parametrize(
    ("stack", "title"),
    [
        ("llama.cpp@flags=baseline", "llama.cpp, baseline flags"),
        ("llama.cpp@openmp=off", "llama.cpp, OpenMP off"),
        ("llama.cpp@like=ollama", "llama.cpp, defines as in Ollama"),
        ("llama.cpp@source=ollama", "llama.cpp, Ollama's source"),
        ("llama.cpp@mmap=off+pool=off", "llama.cpp, mmap off, thread pool off"),
        ("ollama@flags=baseline", "Ollama, baseline flags"),
        ("ollama-go-engine@like=llama.cpp", "Ollama (Go engine), defines as in llama.cpp"),
        ("go-driver@openmp=on", "Go driver (C++ engine), OpenMP on"),
        ("go-driver-go-engine@repack=on", "Go driver (Go engine), repacking on"),
    ],
)
def test_variants_have_names_and_titles(stack: str, title: str) -> None:
    found = engine(stack)
    assert (found.spec.name, found.spec.title) == (stack, title)
    base = engine(stack.partition("@")[0])
    assert isinstance(base, Tunable)
    assert found.spec.reach is base.spec.reach


@pytest.mark.parametrize(
    "stack",
    [
        *("llama.cpp@flags=fast", "llama.cpp@openmp=maybe", "llama.cpp@like=llama.cpp"),
        *("ollama@like=ollama", "ollama@sgemm=off", "go-driver@flags=native"),
        *("ollama-installed@flags=baseline", "llama-server@openmp=off"),
    ],
)
def test_what_a_knob_does_not_take_is_refused(stack: str) -> None:
    with pytest.raises(UsageError):
        engine(stack)


def test_baseline_switches_every_instruction_set_off() -> None:
    found = baseline_flags()
    assert not any("=ON" in word for word in found.ggml)
    assert "-DGGML_NATIVE=OFF" in found.ggml
    assert ("-DGGML_AVX2=OFF" in found.ggml) == IS_X86
    assert found.c == ("-O3",)


def test_baseline_in_go_is_what_go_takes_by_itself() -> None:
    options = ollama_options({"flags": "baseline"})
    found = build_environment(COMPILERS, go_flags(options), Path("/v"), options)
    assert found["CGO_CFLAGS"] == found["CGO_CXXFLAGS"] == "-O2 -g"
    assert build_name("ollama", options) == "ollama-variant"


def test_llama_cpps_defines_reach_cgo() -> None:
    options = ollama_options({"like": "llama.cpp"})
    assert options == LLAMA_CPP
    found = build_environment(COMPILERS, FLAGS, Path("/v"), options)
    assert found["CGO_CPPFLAGS"] == '"-I/v" -DGGML_USE_OPENMP -DGGML_USE_CPU_REPACK'
    assert found["CGO_CFLAGS"] == found["CGO_CXXFLAGS"] == "-O3 -march=native -fopenmp"
    assert found["CGO_LDFLAGS"] == "-fopenmp"


def test_ollamas_own_defines_need_no_word() -> None:
    assert not any(cgo_defines(OLLAMA).values())


def test_the_source_says_its_commit_and_how_much_of_it_is_ollamas(tmp_path: Path) -> None:
    folder, module = tmp_path / "ollama", tmp_path / "go"
    (folder / "llama" / "patches").mkdir(parents=True)
    module.mkdir()
    (module / "go.mod").write_text("require (\n\tgithub.com/ollama/ollama v1.2.3\n)\n")
    (folder / "llama" / "build-info.cpp").write_text('char const *LLAMA_COMMIT = "abc1234ef";\n')
    for name in ("0001-a.patch", "0002-b.patch", "README.md"):
        (folder / "llama" / "patches" / name).touch()

    found = read_source(folder, module)

    assert found.ggml == "llama.cpp abc1234ef with 2 patches"
    recipe = {"ollama": "1.2.3", "commit": "abc1234ef", "patches": 2}
    assert ggml_version(recipe, "not numbered") == found.ggml


def test_llama_cpps_ggml_has_a_number(tmp_path: Path) -> None:
    assert ggml_number(tmp_path) == ""
    folder = tmp_path / "lib" / "cmake" / "ggml"
    folder.mkdir(parents=True)
    (folder / "ggml-config-version.cmake").write_text('set(PACKAGE_VERSION "0.25.3")\n')
    assert ggml_number(tmp_path) == "0.25.3"
    recipe = {"commit": "0c1e57098", "llama_cpp_python": "0.3.36"}
    assert ggml_version(recipe, "0.25.3") == "0.25.3 (llama.cpp 0c1e57098)"
    assert ggml_version(recipe, "") == "(llama.cpp 0c1e57098)"


@pytest.mark.parametrize(("said", "expected"), [("true", True), ("false", False)])
def test_ollama_logs_whether_it_maps_the_file(said: str, expected: bool) -> None:
    line = f'msg=load request="{{Operation:commit NumThreads:1 MainGPU:0 UseMmap:{said}}}"'
    assert read_log([line]).maps_file is expected
    assert read_log(["msg=listening"]).maps_file is None


def test_options_are_fit_for_a_recipe() -> None:
    assert json.loads(json.dumps(LLAMA_CPP.recipe()))["GGML_OPENMP"] == "ON"

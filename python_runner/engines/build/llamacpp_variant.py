"""llama.cpp as libraries alone, compiled otherwise than usual or from another source.

For comparisons on ggml only: what a define is worth, and what llama.cpp does when it is the
very source that Ollama is compiled from. Nothing here changes what `build.llamacpp` makes.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from python_runner.common.build.baseline import baseline_flags
from python_runner.common.build.cache import build_once, hash_tree, scratch_dir
from python_runner.common.build.cpu import CpuFlags, cpu_flags
from python_runner.common.build.source import llama_cpp_commit, llama_cpp_source, pinned_release
from python_runner.common.build.toolchain import c_compilers, cmake_and_ninja
from python_runner.common.locations import source_root
from python_runner.common.progress import Progress
from python_runner.engines.build.ggml import LLAMA_CPP, GgmlOptions
from python_runner.engines.build.llamacpp import (
    FEATURES,
    binding_to,
    cmake_settings,
    compile_with_cmake,
    llama_cpp_prefix,
)
from python_runner.engines.build.ollama_source import OllamaSource, ollama_source

_PURPOSE = "another build of llama.cpp"
_EXPECTED_S = 240.0
_NAME = "llama-cpp-variant"
_LIBRARIES_ONLY = {
    "LLAMA_BUILD_COMMON": "OFF",
    "LLAMA_BUILD_MTMD": "OFF",
    "LLAMA_BUILD_SERVER": "OFF",
    "LLAMA_BUILD_TOOLS": "OFF",
}


@dataclass(frozen=True, kw_only=True)
class LlamaBuild:
    """How llama.cpp's libraries are to be compiled."""

    ggml: GgmlOptions = LLAMA_CPP
    is_ollamas: bool = False
    """From the source inside Ollama's Go module, with the defines of its folders."""

    @property
    def is_usual(self) -> bool:
        """Whether it is the build that all C++ rows share."""
        return self.ggml == LLAMA_CPP and not self.is_ollamas

    @property
    def flags(self) -> CpuFlags:
        """The compilers' flags."""
        return baseline_flags() if self.ggml.is_baseline else cpu_flags()


def library_prefix(build: LlamaBuild, progress: Progress) -> Path:
    """The folder with `lib` and `include` of that build, made if it is not there yet.

    Raises what `llama_cpp_prefix` raises, and for Ollama's source what `ollama_build` raises.
    """
    if build.is_usual:
        return llama_cpp_prefix(progress)
    if build.is_ollamas:
        return _from_ollama(build, ollama_source(progress), progress)
    return _from_llama_cpp(build, progress)


def library_binding(build: LlamaBuild, progress: Progress) -> Path:
    """The folder to import `polystack_llama` from, for that build. Raises as `library_prefix`."""
    name = "polystack-llama" if build.is_usual else "polystack-llama-variant"
    return binding_to(library_prefix(build, progress), build.flags, progress, name=name)


def _from_llama_cpp(build: LlamaBuild, progress: Progress) -> Path:
    source = llama_cpp_source(progress)
    commit = llama_cpp_commit(source)
    features = {**_LIBRARIES_ONLY, **build.ggml.switches()}
    recipe: dict[str, object] = {
        "llama_cpp_python": pinned_release().version,
        "sha256": pinned_release().sha256,
        "commit": commit,
        "features": {**FEATURES, **features},
    }
    settings = cmake_settings(c_compilers(_PURPOSE), build.flags, commit, features)
    return _build(build, source, recipe, settings, progress)


def _from_ollama(build: LlamaBuild, source: OllamaSource, progress: Progress) -> Path:
    project = source_root() / "native" / "ollama-llama"
    compilers = c_compilers(_PURPOSE)
    flags = " ".join(build.flags.c)
    recipe: dict[str, object] = {
        "ollama": source.version,
        "module": source.module_hash,
        "project": hash_tree(project, ("CMakeLists.txt",)),
        "commit": source.commit,
        "patches": source.patches,
        "features": build.ggml.switches(),
    }
    own: Mapping[str, str] = {
        **build.ggml.switches(),
        "OLLAMA_SOURCE": str(source.folder),
        "LLAMA_COMMIT": source.commit,
        "CMAKE_C_COMPILER": compilers.c,
        "CMAKE_CXX_COMPILER": compilers.cxx,
        "CMAKE_C_FLAGS": flags,
        "CMAKE_CXX_FLAGS": flags,
    }
    settings = [f"-D{name}={value}" for name, value in own.items()]
    return _build(build, project, recipe, settings, progress)


def _build(
    build: LlamaBuild,
    source: Path,
    recipe: Mapping[str, object],
    settings: list[str],
    progress: Progress,
) -> Path:
    whole = {
        **recipe,
        "compiler": c_compilers(_PURPOSE).version,
        "cpu": build.flags.recipe(),
        "baseline": build.ggml.is_baseline,
    }

    def make(folder: Path) -> None:
        tools = cmake_and_ninja(_PURPOSE)
        with (
            progress.task(
                f"Building llama.cpp {recipe['commit']} once more".rstrip(),
                why="a variant has other defines, flags or sources",
                expected_s=_EXPECTED_S,
            ) as task,
            tempfile.TemporaryDirectory(dir=scratch_dir(), prefix="llama-cpp-") as tree,
        ):
            compile_with_cmake(
                tools, source, Path(tree), folder, settings, task=task, targets=("all",)
            )

    return build_once(_NAME, whole, make, progress)

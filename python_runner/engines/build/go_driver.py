"""Our Go driver (`native/go/driver`), built on the packages of the Ollama that is pinned.

It gets the compiler, the flags and the headers that Ollama's server gets, so that Go finds
what it has compiled for the one when it builds the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from python_runner.common.build.cache import build_once, fresh_log, hash_tree
from python_runner.common.build.commands import run_build
from python_runner.common.build.source import llama_cpp_source
from python_runner.common.build.toolchain import c_compilers, go_tool
from python_runner.common.locations import source_root
from python_runner.common.progress import Progress
from python_runner.engines.build.ggml import OLLAMA, GgmlOptions
from python_runner.engines.build.ollama import (
    build_environment,
    build_name,
    facts_of,
    ggml_recipe,
    go_flags,
    module_recipe,
)

# `-v` names each package as it is compiled: the only sign of life that go gives.
ARGUMENTS = ("build", "-v", "-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w")
SOURCES = ("driver/*.go", "internal/**/*.go")
_PURPOSE = "the Go driver"
_EXPECTED_S = 150.0


@dataclass(frozen=True, kw_only=True)
class GoDriverBuild:
    """The program, and what it was made with."""

    binary: Path
    facts: Mapping[str, str]
    """Compilers and flags, in words for tables."""


def go_driver_build(progress: Progress, options: GgmlOptions = OLLAMA) -> GoDriverBuild:
    """The driver, built if it is not there yet, with ggml compiled as `options` say.

    Raises:
        ToolMissingError: no Go or no C++ compiler.
        BuildFailedError: it does not compile; the hint names the log.
    """
    module = source_root() / "native" / "go"
    go = go_tool(_PURPOSE)
    compilers = c_compilers(_PURPOSE)
    flags = go_flags(options)
    recipe = {
        **module_recipe(module, go, compilers, flags, ARGUMENTS),
        **ggml_recipe(options),
        "sources": hash_tree(module, SOURCES),
    }

    def build(folder: Path) -> None:
        headers = llama_cpp_source(progress) / "vendor"
        with progress.task(
            "Building the Go driver",
            why="it runs Ollama's engines in a Go process of ours; little is left to do where "
            "Ollama is built",
            expected_s=_EXPECTED_S,
        ) as task:
            run_build(
                [go, *ARGUMENTS, "-o", _binary_in(folder), "./driver"],
                log=fresh_log(folder.name),
                task=task,
                env=build_environment(compilers, flags, headers, options),
                cwd=module,
            )

    folder = build_once(build_name("go-driver", options), recipe, build, progress)
    return GoDriverBuild(binary=_binary_in(folder), facts=facts_of(recipe))


def _binary_in(folder: Path) -> Path:
    return folder / "bin" / "driver"

"""Ollama's server, built from the Go module that pins it (`native/go`).

Ollama's ggml is compiled by cgo with the C flags of the environment and nothing else, so
the flags are ours to give: the same as llama.cpp gets, or the comparison would be one of
flags. The released binaries would choose among libraries for several CPUs at run time.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from python_runner.common.build.cache import build_once, hash_tree
from python_runner.common.build.commands import run_build, tool_version
from python_runner.common.build.cpu import CpuFlags, cpu_flags, recipe_in_words
from python_runner.common.build.source import llama_cpp_source, pinned_release
from python_runner.common.build.toolchain import Compilers, c_compilers, go_tool
from python_runner.common.errors import BuildFailedError
from python_runner.common.locations import cache_dir, source_root
from python_runner.common.progress import Progress

_PACKAGE = "github.com/ollama/ollama"
_PINNED = re.compile(rf"^\s*{re.escape(_PACKAGE)} v(\S+)", re.MULTILINE)
_PURPOSE = "Ollama, the Go stack,"
_EXPECTED_S = 150.0


@dataclass(frozen=True, kw_only=True)
class OllamaBuild:
    """A server that was built here."""

    binary: Path
    version: str
    """The pinned version, without `v`."""
    facts: Mapping[str, str]
    """What may explain a difference: compilers and flags, in words for tables."""


def ollama_build(progress: Progress) -> OllamaBuild:
    """The pinned server and what is known of it, built if it is not there yet.

    Raises:
        ToolMissingError: no Go or no C++ compiler.
        BuildFailedError: it does not compile; the hint names the log.
    """
    module = source_root() / "native" / "go"
    version = pinned_version((module / "go.mod").read_text(encoding="utf-8"))
    go = go_tool(_PURPOSE)
    compilers = c_compilers(_PURPOSE)
    flags = cpu_flags()
    arguments = build_arguments(version)
    recipe = module_recipe(module, go, compilers, flags, arguments)

    def build(folder: Path) -> None:
        headers = llama_cpp_source(progress) / "vendor"
        with progress.task(
            f"Building Ollama {version}", why="the Go stack runs on it", expected_s=_EXPECTED_S
        ) as task:
            log = cache_dir() / "logs" / f"{folder.name}.log"
            log.unlink(missing_ok=True)
            run_build(
                [go, *arguments, "-o", _binary_in(folder), _PACKAGE],
                log=log,
                task=task,
                env=build_environment(compilers, flags, headers),
                cwd=module,
            )

    folder = build_once("ollama", recipe, build, progress)
    return OllamaBuild(binary=_binary_in(folder), version=version, facts=facts_of(recipe))


def module_recipe(
    module: Path, go: str, compilers: Compilers, flags: CpuFlags, arguments: Sequence[str]
) -> dict[str, object]:
    """What goes into a build of the Go module, but for our own sources."""
    return {
        "ollama": pinned_version((module / "go.mod").read_text(encoding="utf-8")),
        "module": hash_tree(module, ("go.mod", "go.sum")),
        # Asked in the module's folder, where go.mod may call for a newer Go than is installed.
        "go": tool_version([go, "-C", str(module), "version"]),
        "compiler": compilers.version,
        "cpu": flags.recipe(),
        "headers": pinned_release().sha256,
        "arguments": list(arguments),
    }


def pinned_version(go_mod: str) -> str:
    """The version of Ollama that the text of go.mod names, without `v`."""
    found = _PINNED.search(go_mod)
    if found is None:
        raise BuildFailedError(
            f"native/go/go.mod does not name {_PACKAGE}", hint="Restore it from the repository."
        )
    return found[1]


def build_arguments(version: str) -> list[str]:
    """The words after `go`, as Ollama's own release script has them."""
    stamps = {f"{_PACKAGE}/version.Version": version, f"{_PACKAGE}/server.mode": "release"}
    linker = " ".join(["-s -w", *(f"-X {name}={value}" for name, value in stamps.items())])
    # `-v` names each package as it is compiled: the only sign of life that go gives.
    return ["build", "-v", "-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags", linker]


def build_environment(compilers: Compilers, flags: CpuFlags, headers: Path) -> dict[str, str]:
    """Variables for `go build`. What the user's environment says of these is overruled.

    Args:
        compilers: what cgo is to call.
        flags: which instructions to compile for.
        headers: holds nlohmann, miniaudio and stb; Go's module archives leave out folders
            called `vendor`, so Ollama's copies of these are missing.
    """
    compiler_flags = " ".join(flags.c)
    return {
        "CC": compilers.c,
        "CXX": compilers.cxx,
        "CGO_ENABLED": "1",
        "CGO_CFLAGS": compiler_flags,
        "CGO_CXXFLAGS": compiler_flags,
        # Quoted as Go's tools understand it: the path may hold a space.
        "CGO_CPPFLAGS": f'"-I{headers}"',
        "CGO_LDFLAGS": "",
        "GOFLAGS": "",
        "GOWORK": "off",
    }


def _binary_in(folder: Path) -> Path:
    # Beside `bin`, Ollama would look for further libraries in `lib/ollama`: there is none.
    return folder / "bin" / "ollama"


def facts_of(recipe: Mapping[str, object]) -> dict[str, str]:
    """What a recipe says that may explain a difference, in words for tables."""
    cpu = recipe["cpu"]
    assert isinstance(cpu, dict)
    return {
        "go": str(recipe["go"]).removeprefix("go version "),
        "compiler": str(recipe["compiler"]),
        **recipe_in_words(cpu),
    }

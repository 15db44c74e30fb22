"""Ollama's server, built from the Go module that pins it (`native/go`).

Ollama's ggml is compiled by cgo with the C flags of the environment and nothing else, so
the flags are ours to give: the same as llama.cpp gets, or the comparison would be one of
flags. The released binaries would choose among libraries for several CPUs at run time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from python_runner.common.build.baseline import baseline_flags
from python_runner.common.build.cache import build_once, hash_tree
from python_runner.common.build.commands import run_build, tool_version
from python_runner.common.build.cpu import CpuFlags, cpu_flags, recipe_in_words
from python_runner.common.build.source import llama_cpp_source, pinned_release
from python_runner.common.build.toolchain import Compilers, c_compilers, go_tool
from python_runner.common.locations import cache_dir, source_root
from python_runner.common.progress import Progress
from python_runner.engines.build.ggml import OLLAMA, GgmlOptions, cgo_defines
from python_runner.engines.build.ollama_source import PACKAGE, known_source, pinned_version

_PURPOSE = "Ollama, the Go stack,"
_EXPECTED_S = 150.0
_GO_DEFAULT = ("-O2", "-g")
"""What `go build` gives the C compiler where CGO_CFLAGS is not set."""


@dataclass(frozen=True, kw_only=True)
class OllamaBuild:
    """A server that was built here."""

    binary: Path
    version: str
    """The pinned version, without `v`."""
    facts: Mapping[str, str]
    """What may explain a difference: compilers and flags, in words for tables."""
    ggml: str = ""
    """Which ggml is inside; empty if that is not known."""


def ollama_build(progress: Progress, options: GgmlOptions = OLLAMA) -> OllamaBuild:
    """The pinned server and what is known of it, built if it is not there yet.

    `options` say how ggml is compiled; by default as Ollama's own `#cgo` lines have it.

    Raises:
        ToolMissingError: no Go or no C++ compiler.
        BuildFailedError: it does not compile; the hint names the log.
    """
    module = source_root() / "native" / "go"
    version = pinned_version((module / "go.mod").read_text(encoding="utf-8"))
    go = go_tool(_PURPOSE)
    compilers = c_compilers(_PURPOSE)
    flags = go_flags(options)
    arguments = build_arguments(version)
    recipe = {**module_recipe(module, go, compilers, flags, arguments), **ggml_recipe(options)}

    def build(folder: Path) -> None:
        headers = llama_cpp_source(progress) / "vendor"
        with progress.task(
            f"Building Ollama {version}", why="the Go stack runs on it", expected_s=_EXPECTED_S
        ) as task:
            log = cache_dir() / "logs" / f"{folder.name}.log"
            log.unlink(missing_ok=True)
            run_build(
                [go, *arguments, "-o", _binary_in(folder), PACKAGE],
                log=log,
                task=task,
                env=build_environment(compilers, flags, headers, options),
                cwd=module,
            )

    folder = build_once(build_name("ollama", options), recipe, build, progress)
    source = known_source()
    return OllamaBuild(
        binary=_binary_in(folder),
        version=version,
        facts=facts_of(recipe),
        ggml=source.ggml if source else "",
    )


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


def build_arguments(version: str) -> list[str]:
    """The words after `go`, as Ollama's own release script has them."""
    stamps = {f"{PACKAGE}/version.Version": version, f"{PACKAGE}/server.mode": "release"}
    linker = " ".join(["-s -w", *(f"-X {name}={value}" for name, value in stamps.items())])
    # `-v` names each package as it is compiled: the only sign of life that go gives.
    return ["build", "-v", "-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags", linker]


def go_flags(options: GgmlOptions) -> CpuFlags:
    """The C compiler's flags: llama.cpp's, or what Go itself takes where nobody gives any."""
    return baseline_flags(c=_GO_DEFAULT) if options.is_baseline else cpu_flags()


def ggml_recipe(options: GgmlOptions) -> dict[str, object]:
    """What these options add to a recipe; nothing where they are Ollama's own."""
    return {} if options == OLLAMA else {"ggml": options.recipe()}


def build_name(name: str, options: GgmlOptions) -> str:
    """Variants are kept apart, lest one supersedes the build that all others use."""
    return name if options == OLLAMA else f"{name}-variant"


def build_environment(
    compilers: Compilers, flags: CpuFlags, headers: Path, options: GgmlOptions = OLLAMA
) -> dict[str, str]:
    """Variables for `go build`. What the user's environment says of these is overruled.

    Args:
        compilers: what cgo is to call.
        flags: which instructions to compile for.
        headers: holds nlohmann, miniaudio and stb; Go's module archives leave out folders
            called `vendor`, so Ollama's copies of these are missing.
        options: how ggml is compiled.
    """
    more = cgo_defines(options)
    return {
        "CC": compilers.c,
        "CXX": compilers.cxx,
        "CGO_ENABLED": "1",
        "CGO_CFLAGS": " ".join([*flags.c, *more["CGO_CFLAGS"]]),
        "CGO_CXXFLAGS": " ".join([*flags.c, *more["CGO_CXXFLAGS"]]),
        # Quoted as Go's tools understand it: the path may hold a space.
        "CGO_CPPFLAGS": " ".join([f'"-I{headers}"', *more["CGO_CPPFLAGS"]]),
        "CGO_LDFLAGS": " ".join(more["CGO_LDFLAGS"]),
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

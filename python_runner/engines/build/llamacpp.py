"""llama.cpp, compiled from its source, and our binding to it."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from python_runner.common.build.cache import build_once, fresh_log, scratch_dir
from python_runner.common.build.commands import build_variables, run_build
from python_runner.common.build.cpu import CpuFlags, cpu_flags
from python_runner.common.build.extension import build_extension
from python_runner.common.build.source import (
    llama_cpp_commit,
    llama_cpp_source,
    pinned_release,
)
from python_runner.common.build.toolchain import Compilers, c_compilers, cmake_and_ninja
from python_runner.common.locations import source_root
from python_runner.common.progress import Progress, Task

PROGRAMS = ("llama-server", "llama-bench", "llama-quantize")
_PURPOSE = "llama.cpp, the C++ stack,"
_EXPECTED_S = 300.0
_BINDING_EXPECTED_S = 20.0

_NUMBER = re.compile(r'set\(PACKAGE_VERSION "([^"]+)"\)')
_ASK_SYSTEM_INFO = """
import ctypes, sys
ask = ctypes.CDLL(sys.argv[1]).llama_print_system_info
ask.restype = ctypes.c_char_p
print(ask().decode())
"""

# Nothing may reach the net, and nothing is compiled that no study uses.
FEATURES = {
    "BUILD_SHARED_LIBS": "ON",
    "CMAKE_BUILD_TYPE": "Release",
    "GGML_CCACHE": "OFF",
    "LLAMA_BUILD_APP": "OFF",
    "LLAMA_BUILD_EXAMPLES": "OFF",
    "LLAMA_BUILD_SERVER": "ON",
    "LLAMA_BUILD_TESTS": "OFF",
    "LLAMA_BUILD_TOOLS": "ON",
    "LLAMA_BUILD_UI": "OFF",
    "LLAMA_OPENSSL": "OFF",
    # CMake would install every tool; we build three of them and place them ourselves.
    "LLAMA_TOOLS_INSTALL": "OFF",
    "LLAMA_USE_PREBUILT_UI": "OFF",
}
_HERE = "@loader_path" if sys.platform == "darwin" else "$ORIGIN"
# The programs find the libraries wherever the folder lies.
_LAYOUT = {
    "CMAKE_BUILD_WITH_INSTALL_RPATH": "ON",
    "CMAKE_INSTALL_BINDIR": "bin",
    "CMAKE_INSTALL_LIBDIR": "lib",
    "CMAKE_INSTALL_RPATH": f"{_HERE};{_HERE}/../lib",
}


def llama_cpp_prefix(progress: Progress) -> Path:
    """The folder with `bin`, `lib` and `include` of llama.cpp, built if it is not there yet.

    Its recipe (`common.build.cache.recipe_of`) says compiler, flags, version and commit.

    Raises:
        ToolMissingError: no C++ compiler, CMake or Ninja.
        BuildFailedError: it does not compile; the hint names the log.
    """
    compilers = c_compilers(_PURPOSE)
    flags = cpu_flags()
    source = llama_cpp_source(progress)
    commit = llama_cpp_commit(source)
    recipe: dict[str, object] = {
        "llama_cpp_python": pinned_release().version,
        "sha256": pinned_release().sha256,
        "commit": commit,
        "compiler": compilers.version,
        "cpu": flags.recipe(),
        "features": FEATURES,
        "layout": _LAYOUT,
        "programs": list(PROGRAMS),
    }

    def build(folder: Path) -> None:
        tools = cmake_and_ninja(_PURPOSE)
        with (
            progress.task(
                f"Building llama.cpp {commit}".rstrip(),
                why="the C++ stack runs on it",
                expected_s=_EXPECTED_S,
            ) as task,
            tempfile.TemporaryDirectory(dir=scratch_dir(), prefix="llama-cpp-") as tree,
        ):
            settings = cmake_settings(compilers, flags, commit)
            compile_with_cmake(
                tools, source, Path(tree), folder, settings, task=task, targets=PROGRAMS
            )
            _place_programs(Path(tree) / "bin", folder)

    return build_once("llama-cpp", recipe, build, progress)


def llama_quantize(progress: Progress) -> Path:
    """The program that makes GGUF files in fewer bits, built if it is not there yet.

    Raises what `llama_cpp_prefix` raises.
    """
    return llama_cpp_prefix(progress) / "bin" / "llama-quantize"


def llama_binding(progress: Progress) -> Path:
    """The folder to import `polystack_llama` from, built if it is not there yet.

    Raises what `llama_cpp_prefix` raises.
    """
    return binding_to(llama_cpp_prefix(progress), cpu_flags(), progress)


def binding_to(
    prefix: Path, flags: CpuFlags, progress: Progress, *, name: str = "polystack-llama"
) -> Path:
    """The folder with a binding to the llama.cpp in `prefix`, built if it is not there yet.

    Raises what `llama_cpp_prefix` raises.
    """
    # Both folders lie side by side in the cache, so the cache as a whole can be moved.
    libraries = f"{_HERE}/../{prefix.name}/lib"
    settings = {
        "CMAKE_CXX_COMPILER": c_compilers(_PURPOSE).cxx,
        "CMAKE_CXX_FLAGS": " ".join(flags.c),
        "CMAKE_INSTALL_RPATH": libraries,
        "llama_DIR": str(prefix / "lib" / "cmake" / "llama"),
    }
    return build_extension(
        name,
        source_root() / "native" / "cpp",
        recipe_extra={"llama.cpp": prefix.name, "cpu": flags.recipe()},
        env={"CMAKE_ARGS": shlex.join(f"-D{name}={value}" for name, value in settings.items())},
        expected_s=_BINDING_EXPECTED_S,
        why="it takes llama.cpp into our process and stamps every token",
        progress=progress,
    )


def library_file(prefix: Path) -> Path:
    """The library in `prefix` itself, links followed."""
    name = "libllama.dylib" if sys.platform == "darwin" else "libllama.so"
    return (prefix / "lib" / name).resolve()


def library_fact(prefix: Path) -> str:
    """Which file computes, below the folder of the builds: its build's hash is in it."""
    return f"{prefix.name}/lib/{library_file(prefix).name}"


def system_info(prefix: Path) -> str:
    """What the libraries in `prefix` say they were compiled with; empty if they say nothing.

    Asked in a process of its own, so that they are neither kept in ours nor able to end it.
    """
    asked = subprocess.run(
        [sys.executable, "-c", _ASK_SYSTEM_INFO, str(library_file(prefix))],
        capture_output=True,
        text=True,
        check=False,
        env=build_variables(),
    )
    return asked.stdout.strip()


def ggml_number(prefix: Path) -> str:
    """The version of the ggml in `prefix`, as CMake's file for it says; empty if it does not."""
    names = prefix / "lib" / "cmake" / "ggml" / "ggml-config-version.cmake"
    found = _NUMBER.search(names.read_text(encoding="utf-8")) if names.is_file() else None
    return found[1] if found else ""


def cmake_settings(
    compilers: Compilers,
    flags: CpuFlags,
    commit: str,
    features: Mapping[str, str] = MappingProxyType({}),
) -> list[str]:
    """CMake's words for llama.cpp, `features` besides what every build of it has."""
    compiler_flags = " ".join(flags.c)
    own = {
        **FEATURES,
        **features,
        **_LAYOUT,
        "CMAKE_C_COMPILER": compilers.c,
        "CMAKE_CXX_COMPILER": compilers.cxx,
        # The same flags that cgo gets for Ollama, for every file and not the kernels only.
        "CMAKE_C_FLAGS": compiler_flags,
        "CMAKE_CXX_FLAGS": compiler_flags,
        # Else the build asks git, which would answer for whatever repository is around it.
        "LLAMA_BUILD_COMMIT": commit or "unknown",
        "LLAMA_BUILD_NUMBER": "0",
    }
    return [*flags.ggml, *(f"-D{name}={value}" for name, value in own.items())]


def compile_with_cmake(
    tools: tuple[str, str],
    source: Path,
    tree: Path,
    folder: Path,
    settings: Sequence[str],
    *,
    task: Task,
    targets: Sequence[str],
) -> None:
    """Configure `source`, compile `targets` in `tree`, install to `folder`."""
    cmake, ninja = tools
    log = fresh_log(folder.name)
    places = ("-S", source, "-B", tree, f"-DCMAKE_INSTALL_PREFIX={folder}")
    generator = ("-G", "Ninja", f"-DCMAKE_MAKE_PROGRAM={ninja}")
    run_build([cmake, *places, *generator, *settings], log=log, task=task)
    run_build([cmake, "--build", tree, "--target", *targets], log=log, task=task)
    run_build([cmake, "--install", tree], log=log, task=task)


def _place_programs(built: Path, folder: Path) -> None:
    """Copy the programs and the libraries that only they use."""
    for program in PROGRAMS:
        shutil.copy2(built / program, folder / "bin" / program)
    for library in built.glob("lib*"):
        if not (folder / "lib" / library.name).exists():
            shutil.copy2(library, folder / "lib" / library.name, follow_symlinks=False)

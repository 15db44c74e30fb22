"""The floor, compiled: `native/floor/floor.cpp`."""

from __future__ import annotations

from pathlib import Path

from python_runner.common.build.cache import build_once, fresh_log, hash_tree
from python_runner.common.build.commands import run_build
from python_runner.common.build.toolchain import c_compilers
from python_runner.common.locations import source_root
from python_runner.common.progress import Progress

_FLAGS = ("-std=c++17", "-O2", "-Wall", "-Wextra", "-Werror")
_EXPECTED_S = 5.0


def floor_program(progress: Progress) -> Path:
    """The program, built if it is not there yet. Raises SetupError."""
    source = source_root() / "native" / "floor"
    compilers = c_compilers("the floor that clients are held against")
    recipe = {"source": hash_tree(source), "compiler": compilers.version, "flags": _FLAGS}

    def build(folder: Path) -> None:
        with progress.task(
            "Building the floor", why="clients are held against it", expected_s=_EXPECTED_S
        ) as task:
            run_build(
                [compilers.cxx, *_FLAGS, source / "floor.cpp", "-o", folder / "floor"],
                log=fresh_log(folder.name),
                task=task,
            )

    return build_once("floor", recipe, build, progress) / "floor"

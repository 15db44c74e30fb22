"""Clients that are compiled for the bench alone: the floor, and the usual Rust crates."""

from __future__ import annotations

import shutil
from pathlib import Path

from python_runner.common.build.cache import build_once, fresh_log, hash_tree
from python_runner.common.build.cargo import cargo_target
from python_runner.common.build.commands import run_build
from python_runner.common.build.toolchain import c_compilers, rust_version
from python_runner.common.locations import source_root
from python_runner.common.progress import Progress

_FLAGS = ("-std=c++17", "-O2", "-Wall", "-Wextra", "-Werror")
_FLOOR_EXPECTED_S = 5.0
_HYPER_EXPECTED_S = 40.0


def floor_program(progress: Progress) -> Path:
    """The program, built if it is not there yet. Raises SetupError."""
    source = source_root() / "native" / "floor"
    compilers = c_compilers("the floor that clients are held against")
    recipe = {"source": hash_tree(source), "compiler": compilers.version, "flags": _FLAGS}

    def build(folder: Path) -> None:
        with progress.task(
            "Building the floor", why="clients are held against it", expected_s=_FLOOR_EXPECTED_S
        ) as task:
            run_build(
                [compilers.cxx, *_FLAGS, source / "floor.cpp", "-o", folder / "floor"],
                log=fresh_log(folder.name),
                task=task,
            )

    return build_once("floor", recipe, build, progress) / "floor"


def hyper_program(progress: Progress) -> Path:
    """A client on hyper and tokio, built if it is not there yet. Raises SetupError."""
    workspace = source_root() / "native" / "rust"
    example = "hyper_streams"
    recipe = {
        "source": hash_tree(workspace / "stream-client"),
        "workspace": hash_tree(workspace, ("Cargo.toml", "Cargo.lock")),
        "compiler": rust_version("the client on hyper"),
    }

    def build(folder: Path) -> None:
        with (
            progress.task(
                "Building the client on hyper", why="to be measured", expected_s=_HYPER_EXPECTED_S
            ) as task,
            cargo_target(example) as target,
        ):
            run_build(
                [
                    *("cargo", "build", "--release", "--locked"),
                    *("--package", "polystack-stream", "--example", example),
                ],
                log=fresh_log(folder.name),
                task=task,
                env={"CARGO_TARGET_DIR": str(target)},
                cwd=workspace,
            )
            shutil.copy2(target / "release" / "examples" / example, folder / example)

    return build_once("hyper-client", recipe, build, progress) / example

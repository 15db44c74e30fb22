"""What is compiled with the crates of mistral.rs: our binding to it, and its server."""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from python_runner.common.build.cache import build_once, fresh_log, hash_tree, recipe_of
from python_runner.common.build.cargo import cargo_target
from python_runner.common.build.commands import run_build
from python_runner.common.build.cpu import CpuFlags, cpu_flags
from python_runner.common.build.extension import build_extension
from python_runner.common.build.toolchain import rust_version
from python_runner.common.locations import source_root
from python_runner.common.progress import Progress

ENGINE_CRATE = "mistralrs-core"
TENSOR_CRATE = "candle-core"
_SERVER = "polystack-mistralrs-server"
_PROFILE = "engine"
_EXPECTED_S = 720.0


@dataclass(frozen=True, kw_only=True)
class Made:
    """What a build was made of."""

    version: str
    """Of the crate `mistralrs-core`."""
    tensor_version: str
    """Of `candle-core`, which has the kernels."""
    compiler: str
    flags: tuple[str, ...]
    """What rustc was told about this CPU."""
    instruction_sets: tuple[str, ...]
    """What that comes to."""


@dataclass(frozen=True, kw_only=True)
class MistralRsBuild:
    """The binding."""

    folder: Path
    """To import `polystack_mistralrs` from."""
    made: Made


@dataclass(frozen=True, kw_only=True)
class MistralRsServerBuild:
    """The server."""

    binary: Path
    made: Made


def mistralrs_build(progress: Progress) -> MistralRsBuild:
    """The binding, built if it is not there yet: some twelve minutes on two cores.

    Raises:
        ToolMissingError: no Rust toolchain.
        BuildFailedError: it does not compile; the hint names the log.
    """
    flags = cpu_flags()
    folder = build_extension(
        "polystack-mistralrs",
        _workspace() / "mistralrs-binding",
        recipe_extra=_shared_recipe(flags),
        env=_environment(flags),
        expected_s=_EXPECTED_S,
        why="the Rust stack runs on it, and most of it is mistral.rs",
        progress=progress,
    )
    return MistralRsBuild(folder=folder, made=_made(folder, flags))


def mistralrs_server_build(progress: Progress) -> MistralRsServerBuild:
    """The server, built if it is not there yet: a minute where the binding has been built.

    Raises what `mistralrs_build` raises.
    """
    flags = cpu_flags()
    recipe = {
        "source": hash_tree(_workspace() / "mistralrs-server"),
        "compiler": rust_version("mistral.rs's server"),
        **_shared_recipe(flags),
    }

    def build(folder: Path) -> None:
        with (
            progress.task(
                "Building mistral.rs's server",
                why="little is left to do where the binding is built",
                expected_s=_EXPECTED_S,
            ) as task,
            cargo_target(_SERVER) as target,
        ):
            run_build(
                [
                    *("cargo", "build", "--locked", "--profile", _PROFILE),
                    *("--package", _SERVER),
                ],
                log=fresh_log(folder.name),
                task=task,
                env={"CARGO_TARGET_DIR": str(target), **_environment(flags)},
                cwd=_workspace(),
            )
            shutil.copy2(target / _PROFILE / _SERVER, folder / _SERVER)

    folder = build_once("mistralrs-server", recipe, build, progress)
    return MistralRsServerBuild(binary=folder / _SERVER, made=_made(folder, flags))


def _workspace() -> Path:
    return source_root() / "native" / "rust"


def _shared_recipe(flags: CpuFlags) -> dict[str, object]:
    """What decides both builds, besides their own sources."""
    workspace = _workspace()
    return {
        "workspace": hash_tree(workspace, ("Cargo.toml", "Cargo.lock")),
        "engine": hash_tree(workspace / "mistralrs-engine"),
        "cpu": flags.recipe(),
    }


def _environment(flags: CpuFlags) -> Mapping[str, str]:
    return {"RUSTFLAGS": " ".join(flags.rust)}


def _made(folder: Path, flags: CpuFlags) -> Made:
    locked = locked_versions((_workspace() / "Cargo.lock").read_text(encoding="utf-8"))
    return Made(
        version=locked[ENGINE_CRATE],
        tensor_version=locked[TENSOR_CRATE],
        compiler=str(recipe_of(folder)["compiler"]),
        flags=flags.rust,
        instruction_sets=flags.instruction_sets,
    )


def locked_versions(lock: str) -> dict[str, str]:
    """Versions by name, from the text of a Cargo.lock; of several, the last."""
    return {package["name"]: package["version"] for package in tomllib.loads(lock)["package"]}

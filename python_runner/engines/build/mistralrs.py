"""Our binding to mistral.rs, compiled with the crates it stands on."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from python_runner.common.build.cache import hash_tree, recipe_of
from python_runner.common.build.cpu import cpu_flags
from python_runner.common.build.extension import build_extension
from python_runner.common.locations import source_root
from python_runner.common.progress import Progress

ENGINE_CRATE = "mistralrs-core"
TENSOR_CRATE = "candle-core"
_EXPECTED_S = 720.0


@dataclass(frozen=True, kw_only=True)
class MistralRsBuild:
    """The binding, and what it was made of."""

    folder: Path
    """To import `polystack_mistralrs` from."""
    version: str
    """Of the crate `mistralrs-core`."""
    tensor_version: str
    """Of `candle-core`, which has the kernels."""
    compiler: str
    flags: tuple[str, ...]
    """What rustc was told about this CPU."""
    instruction_sets: tuple[str, ...]
    """What that comes to."""


def mistralrs_build(progress: Progress) -> MistralRsBuild:
    """The binding, built if it is not there yet: some twelve minutes on two cores.

    Raises:
        ToolMissingError: no Rust toolchain.
        BuildFailedError: it does not compile; the hint names the log.
    """
    workspace = source_root() / "native" / "rust"
    flags = cpu_flags()
    folder = build_extension(
        "polystack-mistralrs",
        workspace / "mistralrs-binding",
        recipe_extra={
            "workspace": hash_tree(workspace, ("Cargo.toml", "Cargo.lock")),
            "cpu": flags.recipe(),
        },
        env={"RUSTFLAGS": " ".join(flags.rust)},
        expected_s=_EXPECTED_S,
        why="the Rust stack runs on it, and most of it is mistral.rs",
        progress=progress,
    )
    locked = locked_versions((workspace / "Cargo.lock").read_text(encoding="utf-8"))
    return MistralRsBuild(
        folder=folder,
        version=locked[ENGINE_CRATE],
        tensor_version=locked[TENSOR_CRATE],
        compiler=str(recipe_of(folder)["compiler"]),
        flags=flags.rust,
        instruction_sets=flags.instruction_sets,
    )


def locked_versions(lock: str) -> dict[str, str]:
    """Versions by name, from the text of a Cargo.lock; of several, the last."""
    return {package["name"]: package["version"] for package in tomllib.loads(lock)["package"]}

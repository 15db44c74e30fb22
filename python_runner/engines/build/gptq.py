"""The packages of GPTQ: GPT-QModel and what it takes, in a folder of their own in the cache.

GPT-QModel replaces functions of transformers, safetensors and triton when it is imported, and is
published as source only: so it is kept out of the project's environment. Its packages stand on
the versions of torch and transformers there, and are put before them on the path of the one
process that needs them.
"""

from __future__ import annotations

import hashlib
import os
import platform
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from python_runner.common.build.cache import build_once, is_built, location, scratch_dir
from python_runner.common.build.commands import require_tool, run_build
from python_runner.common.build.survey import Survey
from python_runner.common.build.toolchain import c_compilers
from python_runner.common.errors import SetupError
from python_runner.common.locations import cache_dir, source_root
from python_runner.common.progress import Progress
from python_runner.models.gptq import path_to

PACKAGE = "transformers-gptq"
TO_TYPE = f"polystack build --stacks {PACKAGE}"
_EXPECTED_S = 120.0
_FOLDER = "packages"
_TRIAL = "python_runner.engines.build.gptq_trial"


def gptq_packages(progress: Progress) -> Path:
    """The folder of packages, if it has been made: it is never made by the way.

    Raises SetupError with what to type if it is not there.
    """
    if isinstance(progress, Survey):
        return install_gptq(progress)
    folder = location(PACKAGE, _recipe())
    if not is_built(folder):
        raise SetupError(
            "GPT-QModel is not installed: it changes other packages when it is loaded, so it is "
            "kept apart and installed on request only",
            hint=f"Type `{TO_TYPE}`: about {_EXPECTED_S / 60:.0f} minutes, once for all checkouts.",
        )
    return folder / _FOLDER


def install_gptq(progress: Progress) -> Path:
    """The folder, made if it is not there yet: fetched, its kernels compiled, tried.

    Raises:
        ToolMissingError: no uv, or no C++ compiler.
        BuildFailedError: a package cannot be had or does not work; the hint names the log.
    """

    def build(folder: Path) -> None:
        uv = require_tool("uv", "GPTQ's packages", "python3 -m pip install uv")
        c_compilers("GPT-QModel's kernels")
        log = cache_dir() / "logs" / f"{folder.name}.log"
        with progress.task(
            "Installing GPT-QModel beside the project's packages",
            why="it changes other packages when it is loaded",
            expected_s=_EXPECTED_S,
        ) as task:
            packages = folder / _FOLDER
            # Its source is packed with our own setuptools, whose version and hash are locked.
            options = ("--no-deps", "--no-build-isolation")
            where = ("--python", sys.executable, "--target", packages)
            with tempfile.TemporaryDirectory(dir=scratch_dir()) as scratch:
                run_build(
                    [
                        uv,
                        "pip",
                        "install",
                        "--require-hashes",
                        *options,
                        *where,
                        "--requirement",
                        _lock(),
                    ],
                    log=log,
                    task=task,
                    env={"UV_CACHE_DIR": scratch},
                )
            task.update(None, "compiling its kernels and trying them")
            run_build(
                [sys.executable, "-m", _TRIAL],
                log=log,
                task=task,
                env={**path_to(packages), "OMP_NUM_THREADS": str(min(2, os.cpu_count() or 1))},
            )

    return build_once(PACKAGE, _recipe(), build, progress) / _FOLDER


def _recipe() -> dict[str, object]:
    return {
        "requirements": hashlib.sha256(_lock().read_bytes()).hexdigest(),
        "beside": {name: _version(name) for name in ("torch", "transformers")},
        "python": f"{platform.python_version()} in {sys.base_prefix}",
        "machine": platform.machine(),
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"  # the engine says so, with what to do


def _lock() -> Path:
    return source_root() / "requirements" / "gptq.txt"

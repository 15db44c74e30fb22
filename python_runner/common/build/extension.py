"""Python extension modules in C++ and Rust, built from `native/` when they are needed.

They are not installed into the virtual environment: each lies in the cache in a folder
named by a hash of its sources, its compiler and this Python, so that what is imported
always is what this checkout says.
"""

from __future__ import annotations

import re
import sys
import sysconfig
import tempfile
import tomllib
import zipfile
from collections.abc import Mapping
from importlib import import_module, metadata
from pathlib import Path
from types import ModuleType

from python_runner.common.build.cache import build_once, fresh_log, hash_tree, scratch_dir
from python_runner.common.build.cargo import cargo_target
from python_runner.common.build.commands import run_build
from python_runner.common.build.toolchain import c_compilers, rust_version
from python_runner.common.errors import BuildFailedError, ToolMissingError
from python_runner.common.progress import Progress

_MATURIN = "maturin"
_PACKAGE_NAME = re.compile(r"[A-Za-z0-9._-]+")


def build_extension(
    name: str,
    source: Path,
    *,
    recipe_extra: Mapping[str, object],
    env: Mapping[str, str],
    expected_s: float,
    why: str,
    progress: Progress,
) -> Path:
    """The folder to import the extension from; built if it is not there yet.

    Args:
        name: of the build, in the cache and in messages.
        source: a PEP 517 project, made for scikit-build-core or maturin.
        recipe_extra: what else goes in besides the files of `source`, JSON-serialisable: flags,
            the build that it links to, a lock file's hash.
        env: variables for the build; whatever they decide must be in `recipe_extra`.
        expected_s: about how long the build takes on two cores, in seconds.
        why: what needs it, for whoever waits.
        progress: where to report.

    Raises:
        ToolMissingError: no compiler, or a Python package of the build is not installed.
        BuildFailedError: it does not compile; the hint names the log.
    """
    recipe = extension_recipe(source, purpose=name, extra=recipe_extra)

    def build(folder: Path) -> None:
        with (
            progress.task(f"Building {name}", why=why, expected_s=expected_s) as task,
            tempfile.TemporaryDirectory(dir=scratch_dir()) as scratch,
            cargo_target(source.name) as target,
        ):
            run_build(
                [
                    *(sys.executable, "-m", "pip", "wheel", "--verbose"),
                    *("--no-build-isolation", "--no-deps", "--no-index"),
                    *("--disable-pip-version-check", "--wheel-dir", scratch, source),
                ],
                log=fresh_log(folder.name),
                task=task,
                # Intermediate files stay out of the checkout.
                env={"CARGO_TARGET_DIR": str(target), "TMPDIR": scratch, **env},
            )
            _unpack_wheel(Path(scratch), folder)

    return build_once(name, recipe, build, progress)


def import_extension(folder: Path, module_name: str) -> ModuleType:
    """Import a module from a folder that `build_extension` gave."""
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    return import_module(module_name)


def extension_recipe(
    source: Path, *, purpose: str, extra: Mapping[str, object]
) -> dict[str, object]:
    """All that decides what an extension becomes. Raises ToolMissingError."""
    build_system = tomllib.loads((source / "pyproject.toml").read_text("utf-8"))["build-system"]
    is_rust = build_system["build-backend"] == _MATURIN
    return {
        "source": hash_tree(source),
        "compiler": rust_version(purpose) if is_rust else c_compilers(purpose).version,
        "build_packages": _installed_versions(build_system["requires"], purpose),
        "python": sysconfig.get_config_var("SOABI"),
        "extra": dict(extra),
    }


def _installed_versions(requirements: list[str], purpose: str) -> dict[str, str]:
    """Versions of the packages that build the extension: pybind11's headers become part of it."""
    versions: dict[str, str] = {}
    for requirement in requirements:
        found = _PACKAGE_NAME.match(requirement)
        assert found is not None, requirement
        try:
            versions[found[0]] = metadata.version(found[0])
        except metadata.PackageNotFoundError as error:
            raise ToolMissingError(
                f"the Python package {found[0]} is not installed; {purpose} is built with it",
                hint="It belongs to the environment that `just` sets up: run `just setup`.",
            ) from error
    return versions


def _unpack_wheel(wheels: Path, folder: Path) -> None:
    found = list(wheels.glob("*.whl"))
    if len(found) != 1:
        raise BuildFailedError(f"pip made {len(found)} wheels instead of one")
    with zipfile.ZipFile(found[0]) as wheel:
        wheel.extractall(folder)

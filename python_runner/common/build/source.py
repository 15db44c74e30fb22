"""The source of llama.cpp: libraries, programs, converter and third-party headers.

It comes inside the source distribution of llama-cpp-python, because that is in the package
registry, with a version and a hash. That package's own part, in Python, is kept beside it.
"""

from __future__ import annotations

import re
import shutil
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from python_runner.common.build.cache import build_once, fresh_log, scratch_dir
from python_runner.common.build.commands import run_build
from python_runner.common.errors import BuildFailedError
from python_runner.common.locations import source_root
from python_runner.common.progress import Progress, Task

_REQUIREMENT = re.compile(r"^llama-cpp-python==(\S+) --hash=sha256:([0-9a-f]{64})$", re.MULTILINE)
_COMMIT = re.compile(r"llama\.cpp@([0-9a-f]{7,40})")
_LLAMA_CPP = PurePosixPath("vendor/llama.cpp")
_CHANGES = PurePosixPath("CHANGELOG.md")
_BINDING = PurePosixPath("llama_cpp")
"""The package llama-cpp-python: Python files only, as long as nobody compiles it."""
_PARTS = (_LLAMA_CPP, _BINDING, _CHANGES)
_EXPECTED_S = 15.0


@dataclass(frozen=True, kw_only=True)
class SourceRelease:
    """Which release the source is taken from."""

    version: str
    """Of llama-cpp-python."""
    sha256: str
    """Of the source distribution."""


def pinned_release() -> SourceRelease:
    """The release that this checkout pins."""
    found = _REQUIREMENT.search(_requirements().read_text(encoding="utf-8"))
    if found is None:
        raise BuildFailedError(
            f"{_requirements()} does not name a version and a hash of llama-cpp-python",
            hint="Restore the file from the repository.",
        )
    return SourceRelease(version=found[1], sha256=found[2])


def llama_cpp_source(progress: Progress) -> Path:
    """The folder of llama.cpp's source, fetched and unpacked if it is not there yet.

    Raises BuildFailedError if it cannot be fetched or has another hash than the pinned one.
    """
    release = pinned_release()

    def fetch(folder: Path) -> None:
        with (
            progress.task(
                f"Fetching llama.cpp (from llama-cpp-python {release.version})",
                why="the C++ stack, the model converter and headers for Ollama come from it",
                expected_s=_EXPECTED_S,
            ) as task,
            tempfile.TemporaryDirectory(dir=scratch_dir()) as scratch,
        ):
            _unpack(_download(Path(scratch), task), folder)

    recipe: dict[str, object] = {
        "version": release.version,
        "sha256": release.sha256,
        "parts": [str(part) for part in _PARTS],
    }
    return build_once("llama-cpp-source", recipe, fetch, progress) / _LLAMA_CPP


def ctypes_binding(source: Path) -> Path:
    """The folder to import `llama_cpp` from, which came with the llama.cpp in `source`.

    No library lies beside it: `LLAMA_CPP_LIB_PATH` has to name the folder of one.
    """
    return source.parents[len(_LLAMA_CPP.parts) - 1]


def llama_cpp_commit(source: Path) -> str:
    """The commit of llama.cpp that `source` is, as its release's list of changes says.

    Empty if the list does not say (the archive carries no history to ask), or as long as
    the source is not there.
    """
    changes = ctypes_binding(source) / _CHANGES
    if not changes.is_file():
        return ""
    found = _COMMIT.search(changes.read_text(encoding="utf-8"))
    return found[1] if found else ""


def _requirements() -> Path:
    return source_root() / "requirements" / "llama-cpp-source.txt"


def _download(folder: Path, task: Task) -> Path:
    """The pinned archive, checked by pip against its hash."""
    run_build(
        [
            *(sys.executable, "-m", "pip", "download", "--no-deps", "--no-build-isolation"),
            *("--no-binary", ":all:", "--require-hashes", "--disable-pip-version-check"),
            *("--dest", folder, "-r", _requirements()),
        ],
        log=fresh_log("llama-cpp-source"),
        task=task,
    )
    (archive,) = folder.glob("*.tar.gz")
    return archive


def _unpack(archive: Path, folder: Path) -> None:
    """Unpack llama.cpp, the binding and the list of changes; no more of it is needed."""
    try:
        with tarfile.open(archive) as tar:
            # The filter refuses what would be written outside the folder.
            tar.extractall(folder, members=_wanted(tar), filter="data")
    except tarfile.TarError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise BuildFailedError(
            f"{archive.name} cannot be unpacked: {error}",
            hint="Another release must be pinned.",
        ) from error
    if not (folder / _LLAMA_CPP / "CMakeLists.txt").is_file():
        shutil.rmtree(folder)
        raise BuildFailedError(
            f"{archive.name} holds no {_LLAMA_CPP}", hint="Another release must be pinned."
        )


def _wanted(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    for member in tar:
        inside = PurePosixPath(*PurePosixPath(member.name).parts[1:])
        is_wanted = any(inside.is_relative_to(part) for part in _PARTS)
        # A stray `.git` would make llama.cpp's build ask git about another repository.
        if is_wanted and inside.name != ".git":
            yield member.replace(name=str(inside), deep=False)

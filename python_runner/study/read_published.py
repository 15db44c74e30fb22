"""Find a published study, read it, and say what is wrong in it."""

from __future__ import annotations

from pathlib import Path

from python_runner.study.explain import validated
from python_runner.study.published import Published
from python_runner.study.read import find_file, read_toml, studies_dir


def published_names() -> list[str]:
    """Names of the published studies that come with the workbench."""
    return sorted(path.stem for path in _folder().glob("*.toml"))


def load_published(name_or_path: str) -> Published:
    """The published study of that name, or in that TOML file.

    Raises UnknownNameError if there is none, and StudyError, which names the key and what is
    allowed, if the file is not valid.
    """
    path = _find(name_or_path)
    return validated(
        Published,
        read_toml(path),
        what=f"published study {path.name}",
        hint="Correct the file; docs/studies.md explains every key.",
    )


def reference_of(name_or_path: str) -> str:
    """By which `load_published` finds the same from any folder: the name, or the whole path."""
    path = _find(name_or_path)
    return path.stem if path.parent == _folder() else str(path.resolve())


def _folder() -> Path:
    return studies_dir() / "published"


def _find(name_or_path: str) -> Path:
    return find_file("published study", name_or_path, folder=_folder(), names=published_names())

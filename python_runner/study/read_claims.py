"""Find a claim file, read it, and say what is wrong in it."""

from __future__ import annotations

from pathlib import Path

from python_runner.common.errors import UnknownNameError
from python_runner.study.claims import Claims
from python_runner.study.explain import validated
from python_runner.study.read import CLAIMS_SUFFIX, read_toml, studies_dir


def claims_names() -> list[str]:
    """Names of the claim files that come with the workbench."""
    files = studies_dir().glob(f"*{CLAIMS_SUFFIX}")
    return sorted(path.name.removesuffix(CLAIMS_SUFFIX) for path in files)


def load_claims(name_or_path: str) -> Claims:
    """The claims of that name, or in that TOML file.

    Raises UnknownNameError if there are none, and StudyError, which names the key and what is
    allowed, if the file is not valid.
    """
    path = _find(name_or_path)
    return validated(
        Claims,
        read_toml(path),
        what=f"claims {path.name}",
        hint="Correct the claim file; docs/claims.md explains every key.",
    )


def _find(name_or_path: str) -> Path:
    shipped = studies_dir() / f"{name_or_path}{CLAIMS_SUFFIX}"
    if shipped.is_file():
        return shipped
    path = Path(name_or_path)
    if path.suffix == ".toml" and path.is_file():
        return path
    raise UnknownNameError("claims", name_or_path, claims_names())

"""Find a claim file, read it, and say what is wrong in it."""

from __future__ import annotations

from python_runner.study.claims import Claims
from python_runner.study.explain import validated
from python_runner.study.read import CLAIMS_SUFFIX, find_file, read_toml, studies_dir


def claims_names() -> list[str]:
    """Names of the claim files that come with the workbench."""
    files = studies_dir().glob(f"*{CLAIMS_SUFFIX}")
    return sorted(path.name.removesuffix(CLAIMS_SUFFIX) for path in files)


def load_claims(name_or_path: str) -> Claims:
    """The claims of that name, or in that TOML file.

    Raises UnknownNameError if there are none, and StudyError, which names the key and what is
    allowed, if the file is not valid.
    """
    path = find_file(
        "claims", name_or_path, folder=studies_dir(), names=claims_names(), suffix=CLAIMS_SUFFIX
    )
    return validated(
        Claims,
        read_toml(path),
        what=f"claims {path.name}",
        hint="Correct the claim file; docs/claims.md explains every key.",
    )

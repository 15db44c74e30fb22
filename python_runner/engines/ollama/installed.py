"""Ollama as the user has installed it: its own process, our models, never the user's server.

Who compiled it for what is its publisher's business, so a difference to the row `ollama`,
which is compiled here, is one of version and flags before it is one of anything else.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from python_runner.common.errors import SetupError
from python_runner.common.progress import Progress
from python_runner.common.secrets import without_secrets
from python_runner.engines.build.ollama import OllamaBuild
from python_runner.engines.ollama.engine import SPEC, OllamaEngine
from python_runner.engines.ollama.server import NOWHERE
from python_runner.engines.ollama.variant import Variant

BINARY_VARIABLE = "OLLAMA_BINARY"
_VERSION = re.compile(r"client version is (\S+)")
_TIMEOUT_S = 20.0


def installed_ollama(progress: Progress) -> OllamaBuild:
    """The Ollama that the user has installed. Raises SetupError if there is none that works."""
    binary = find_binary(os.environ)
    return OllamaBuild(
        binary=binary,
        version=_version(binary),
        facts={
            "package": f"installed by the user: {binary}",
            "compiler": "not known: compiled by its publisher",
            "flags": "not known: compiled by its publisher",
        },
    )


def find_binary(environment: Mapping[str, str]) -> Path:
    """The program that OLLAMA_BINARY names, or else the first `ollama` on PATH.

    Raises SetupError.
    """
    named = environment.get(BINARY_VARIABLE)
    found = shutil.which(
        str(Path(named).expanduser()) if named else "ollama", path=environment.get("PATH")
    )
    if found is None:
        raise SetupError(
            f"{BINARY_VARIABLE} is {named}, and that is no program"
            if named
            else "no Ollama is installed: there is none on PATH",
            hint=f"Install Ollama, or set {BINARY_VARIABLE} to its program. The stack `ollama` "
            "needs neither: it is built here.",
        )
    return Path(found).absolute()


def client_version(printed: str) -> str | None:
    """The version in what `ollama --version` prints when no server answers it."""
    found = _VERSION.search(printed)
    return found[1] if found else None


def _version(binary: Path) -> str:
    # It would ask the user's running server for a version, which is not this program's.
    environment = {**without_secrets(os.environ), "OLLAMA_HOST": NOWHERE}
    try:
        result = subprocess.run(
            [binary, "--version"],
            capture_output=True,
            text=True,
            env=environment,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _does_not_work(binary, str(error)) from error
    version = client_version(result.stdout + result.stderr)
    if version is None:
        raise _does_not_work(binary, (result.stderr or result.stdout).strip())
    return version


def _does_not_work(binary: Path, reason: str) -> SetupError:
    return SetupError(
        f"{binary} does not say its version: {reason or 'no output'}",
        hint=f"Repair the installation, or set {BINARY_VARIABLE} to another program.",
    )


ENGINE = OllamaEngine(
    variant=Variant(
        spec=replace(SPEC, name="ollama-installed", title="Ollama, installed"),
        find=installed_ollama,
        models="ollama-models-installed",
        is_built_here=False,
    )
)

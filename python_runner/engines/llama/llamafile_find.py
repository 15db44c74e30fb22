"""Where a llamafile is, which version it is, and what is packed into it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from python_runner.common.errors import SetupError, ToolMissingError
from python_runner.common.locations import source_root
from python_runner.common.secrets import without_secrets

VARIABLE = "LLAMAFILE"
STAND_IN = "llama-server"

_VERSION = re.compile(r"\bllamafile v?(\d+)\.(\d+)\.(\d+)")
_VERSION_TIMEOUT_S = 60.0
_SUFFIX = "*.llamafile"
_ARGUMENTS = ".args"
_OLD = (0, 9)


class Family(StrEnum):
    """What a llamafile is made of decides how it is started and how it answers."""

    OLD = "0.9: a fork of llama.cpp of August 2024"
    NEW = "0.10: a patched llama-server"


@dataclass(frozen=True, kw_only=True)
class Llamafile:
    """A llamafile on this machine."""

    path: Path
    version: str
    """Three numbers, without `v`."""
    family: Family
    weights: tuple[str, ...]
    """GGUF files packed into it."""
    arguments: tuple[str, ...]
    """The arguments packed into it; ours come after them."""


def find_llamafile() -> Llamafile:
    """The llamafile that a study is to use.

    Raises:
        ToolMissingError: there is none; the hint names the stand-in.
        SetupError: there are several, or what was found is no llamafile that we know.
    """
    path = locate(os.environ, [source_root(), Path.cwd()])
    version = version_of(path, _ask_version(path))
    weights, arguments = packed_into(path)
    return Llamafile(
        path=path,
        version=version,
        family=family_of(path, version),
        weights=weights,
        arguments=arguments,
    )


def locate(environment: Mapping[str, str], folders: Iterable[Path]) -> Path:
    """Look at LLAMAFILE, then along PATH, then for `models/*.llamafile` in `folders`.

    Raises ToolMissingError or SetupError, as `find_llamafile`.
    """
    if named := environment.get(VARIABLE):
        path = Path(named).expanduser()
        if not path.is_file():
            raise SetupError(
                f"{VARIABLE} names {named}, and there is no such file",
                hint=f"Correct the variable, or unset it to have one looked for. {_else()}",
            )
        return path.resolve()
    if on_path := shutil.which("llamafile", path=environment.get("PATH", "")):
        return Path(on_path).resolve()
    places = list(dict.fromkeys(folder.resolve() / "models" for folder in folders))
    found = sorted({path for place in places for path in place.glob(_SUFFIX)})
    if not found:
        where = " and ".join(str(place / _SUFFIX) for place in places)
        raise ToolMissingError(
            f"no llamafile: {VARIABLE} is not set, PATH has none, nor has {where}",
            hint="Download one from its releases page, put it into models/ or name it in the "
            f"variable {VARIABLE}. {_else()}",
        )
    if len(found) > 1:
        raise SetupError(
            f"several llamafiles: {', '.join(str(path) for path in found)}",
            hint=f"Name the one that is meant in the variable {VARIABLE}.",
        )
    return found[0]


def version_of(path: Path, said: str) -> str:
    """The version in what the file at `path` answered to `--version`. Raises SetupError."""
    found = _VERSION.search(said)
    if found is None:
        raise SetupError(
            f"{path} does not say that it is a llamafile: {said[:200].strip() or 'not a word'}",
            hint="`sh FILE --version` must name its version. It unpacks its loader to $TMPDIR, "
            f"from where programs must be allowed to run. {_else()}",
        )
    return ".".join(found.groups())


def family_of(path: Path, version: str) -> Family:
    """How that version is started. Raises SetupError for one before 0.9."""
    major, minor, _ = (int(number) for number in version.split("."))
    if (major, minor) < _OLD:
        raise SetupError(
            f"{path} is llamafile {version}, and 0.9 is the oldest that is known here",
            hint=f"Download a newer one from its releases page. {_else()}",
        )
    return Family.OLD if (major, minor) == _OLD else Family.NEW


def packed_into(path: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the weights, and the arguments, in a llamafile, which is a ZIP file as well."""
    try:
        with zipfile.ZipFile(path) as content:
            names = content.namelist()
            weights = tuple(name for name in names if name.endswith(".gguf"))
            text = content.read(_ARGUMENTS).decode() if _ARGUMENTS in names else ""
    except (zipfile.BadZipFile, UnicodeDecodeError):
        return (), ()
    return weights, tuple(line for line in text.splitlines() if line and line != "...")


def _ask_version(path: Path) -> str:
    # Through the shell: the kernel may not know this kind of file.
    try:
        asked = subprocess.run(
            ["sh", path, "--version"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=without_secrets(os.environ),
            timeout=_VERSION_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"nothing in {_VERSION_TIMEOUT_S:.0f} s"
    return asked.stdout.decode(errors="replace")


def _else() -> str:
    return f"Or choose {STAND_IN}, which stands in for it under its own name."

"""Where a server of the catalogue is on this machine, and whether there is a GPU for it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from python_runner.common.errors import SetupError, ToolMissingError
from python_runner.common.secrets import without_secrets
from python_runner.engines.servers.schema import Find, ServerRow, Version
from python_runner.engines.servers.words import Filling

CONTAINER_VARIABLE = "POLYSTACK_CONTAINER"
"""Names the program that runs containers: docker or podman."""
IMAGE_SUFFIX = "_IMAGE"

_TIMEOUT_S = 120.0
"""Asked for its version, a server may import all of PyTorch."""
_GPU_TIMEOUT_S = 30.0
_IMAGE_ID = re.compile(r"(sha256:)?[0-9a-f]{12,64}")
_GPU_QUERY = ("nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader")


@dataclass(frozen=True, kw_only=True)
class Found:
    """A server on this machine."""

    program: Path | None = None
    python: Path | None = None
    home: Path | None = None
    """The folder of the sources."""
    container: Path | None = None
    """The program that runs containers; then `image` is what it runs."""
    image: str = ""

    @property
    def words(self) -> Mapping[str, str]:
        """What its placeholders stand for."""
        named = {"program": self.program, "python": self.python, "home": self.home}
        return {key: str(value) for key, value in named.items() if value is not None}

    @property
    def place(self) -> str:
        """Where it is, for the record."""
        return self.image or str(self.program or self.home or self.python)


def find_server(row: ServerRow, environment: Mapping[str, str]) -> Found:
    """The server that a study is to use.

    Looked at in this order: a container image, what the variable names, PATH.

    Raises:
        ToolMissingError: there is none; the hint says how to get one.
        SetupError: a variable names what is not there.
    """
    image = environment.get(row.find.variable + IMAGE_SUFFIX)
    if image:
        return _container(row, image, environment)
    named = environment.get(row.find.variable)
    if named:
        return _named(row.find, Path(named).expanduser())
    path = environment.get("PATH", "")
    on_path = shutil.which(row.find.program, path=path) if row.find.program else None
    if on_path:
        return _program(Path(on_path))
    sought = f", PATH has no `{row.find.program}`" if row.find.program else ""
    image_sought = (
        f", and {row.find.variable}{IMAGE_SUFFIX} names no container image" if row.container else ""
    )
    raise ToolMissingError(
        f"no {row.title}: {row.find.variable} is not set{sought}{image_sought}",
        hint=how_to_get(row),
    )


def how_to_get(row: ServerRow) -> str:
    """How a user gets the server, and how it is then found."""
    find = row.find
    what = f"the folder that holds {find.holds}" if find.holds else "its program or environment"
    ways = f"{find.install} Then name {what} in {find.variable}"
    ways += ", or put its program on PATH" if find.program else ""
    if row.container is None:
        return f"{ways}."
    return (
        f"{ways}. Or run it from an image: {CONTAINER_VARIABLE}=docker (or podman) and "
        f"{find.variable}{IMAGE_SUFFIX}={row.container.image}"
    )


def _container(row: ServerRow, image: str, environment: Mapping[str, str]) -> Found:
    variable = row.find.variable + IMAGE_SUFFIX
    if row.container is None:
        raise SetupError(
            f"{variable} names an image, and {row.title} is not run from one here",
            hint=f"Unset it. {how_to_get(row)}",
        )
    named = environment.get(CONTAINER_VARIABLE)
    if not named:
        raise ToolMissingError(
            f"{variable} names an image, and {CONTAINER_VARIABLE} no program to run it",
            hint=f"Set {CONTAINER_VARIABLE} to docker or podman.",
        )
    program = shutil.which(named, path=environment.get("PATH", ""))
    if program is None:
        raise ToolMissingError(
            f"{CONTAINER_VARIABLE} names {named}, and there is no such program",
            hint="Install it, or correct the variable.",
        )
    return Found(container=Path(program), image=image)


def _named(find: Find, place: Path) -> Found:
    if find.holds:
        return _sources(find, place)
    if find.program and place.is_file():
        return _program(place)
    python = place / "bin" / "python"
    if find.module and python.is_file():
        return Found(python=python)
    program = place / "bin" / find.program
    if find.program and program.is_file():
        return _program(program)
    sought = program if find.program else python
    raise SetupError(
        f"{find.variable} names {place}, and there is no {sought}",
        hint="Name the program, or the folder of the Python environment that it is installed in.",
    )


def _program(program: Path) -> Found:
    """The program, and the Python of the environment that it is installed in."""
    python = program.parent / "python"
    return Found(program=program, python=python if python.is_file() else None)


def _sources(find: Find, home: Path) -> Found:
    if not (home / find.holds).is_file():
        raise SetupError(
            f"{find.variable} names {home}, and there is no {find.holds} in it",
            hint=f"Name the folder that holds {find.holds}.",
        )
    places = [home / each for each in find.pythons]
    python = next((each for each in places if each.is_file()), None)
    if python is None:
        raise SetupError(
            f"there is no Python for {home}: neither {' nor '.join(map(str, places))} is there",
            hint=find.install,
        )
    return Found(home=home, python=python)


def shipped_by_user(row: ServerRow) -> tuple[Path, ...]:
    """The files and folders that the user has installed. Raises SetupError."""
    found = find_server(row, os.environ)
    if found.container is not None:
        raise SetupError(f"{row.title} runs from an image, whose size is not counted")
    if found.home is not None:
        return (found.home,)
    place = found.program or found.python
    if place is None:
        raise SetupError(f"nothing is known of where {row.title} is")
    environment = place.absolute().parents[1]
    return (environment,) if (environment / "pyvenv.cfg").is_file() else (place,)


def version_of(version: Version, found: Found, filling: Filling) -> str:
    """What its version command prints; empty if there is none, or it runs from an image.

    Raises SetupError if it says no version.
    """
    if not version.command or found.container is not None:
        return ""
    command = filling.words(version.command)
    said = _output(command, _TIMEOUT_S)
    match = re.search(version.pattern, said)
    if match is None:
        raise SetupError(
            f"`{' '.join(command)}` does not say a version: {said.strip()[-300:] or 'nothing'}",
            hint="Without a version nothing is measured. Does this command work in a terminal?",
        )
    return match[1]


def image_of(found: Found) -> str:
    """The id of the image that it runs from. Raises SetupError if it is not on this machine."""
    command = [str(found.container), "image", "inspect", "--format={{.Id}}", found.image]
    said = _output(command, _GPU_TIMEOUT_S).strip()
    if not _IMAGE_ID.fullmatch(said):
        raise SetupError(
            f"`{' '.join(command)}` gives no image: {said[-300:] or 'nothing'}",
            hint=f"Fetch it first: {found.container} pull {found.image}",
        )
    return said


def has_gpu() -> bool:
    """Whether there is an NVIDIA GPU that its driver knows."""
    try:
        find_gpus()
    except SetupError:
        return False
    return True


def find_gpus() -> str:
    """Name and driver of each NVIDIA GPU. Raises SetupError if there is none."""
    if shutil.which(_GPU_QUERY[0], path=os.environ.get("PATH", "")) is None:
        raise ToolMissingError(
            "no NVIDIA GPU: nvidia-smi, which comes with its driver, is not on PATH",
            hint="This stack computes on a GPU only. Run it on a machine that has one.",
        )
    said = [line.strip() for line in _output(_GPU_QUERY, _GPU_TIMEOUT_S).splitlines()]
    cards = [line for line in said if "," in line]
    if not cards:
        raise SetupError(
            f"nvidia-smi lists no GPU: {' '.join(said)[:300] or 'it says nothing'}",
            hint="Is its driver loaded, and is the GPU given to this machine or container?",
        )
    return "; ".join(", driver ".join(part.strip() for part in card.split(",")) for card in cards)


def _output(command: Sequence[str], timeout_s: float) -> str:
    try:
        asked = subprocess.run(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=without_secrets(os.environ),
            timeout=timeout_s,
            check=False,
        )
    except OSError as error:
        return str(error)
    except subprocess.TimeoutExpired:
        return f"nothing in {timeout_s:.0f} s"
    return asked.stdout.decode(errors="replace")

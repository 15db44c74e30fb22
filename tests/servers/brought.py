"""Puts the stand-in in the place of a server of the catalogue, as a user would install it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from python_runner.engines.servers.read import shipped_servers
from python_runner.engines.servers.schema import ServerRow

_ROOT = Path(__file__).parents[2]
_STAND_IN = "tests.servers.stand_in"
_SCRIPT = """#!/bin/sh
export PYTHONPATH="{root}"
exec "{python}" -m {stand_in} "{settings}" "$@"
"""
_GPU = """#!/bin/sh
echo "Stand-in GPU, 0.0"
"""
_DIALECTS: Mapping[str, str] = {
    "lmdeploy-turbomind": "lmdeploy",
    "lmdeploy-pytorch": "lmdeploy",
    "tgi-bitsandbytes": "tgi",
    "exllamav2": "tabbyapi-exl2",
    "exllamav3": "tabbyapi",
}
"""Where the dialect is not called like the row."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a stand-in is told."""

    answers: Mapping[tuple[int, ...], Sequence[int]]
    """Prompt to tokens, as the reference gave them."""
    ends: Sequence[int]
    """The tokens that end an answer."""
    context: int
    together: int = 1
    """Tokens in a chunk."""


def dialect_of(name: str) -> str:
    """The dialect of that row."""
    return _DIALECTS.get(name, name)


def bring(name: str, folder: Path, told: Told) -> dict[str, str]:
    """Install the stand-in for that row in `folder`; the variables by which it is found."""
    row = shipped_servers()[name]
    settings = folder / "stand-in.json"
    settings.write_text(
        json.dumps(
            {
                "dialect": dialect_of(name),
                "answers": {",".join(map(str, key)): list(v) for key, v in told.answers.items()},
                "ends": list(told.ends),
                "context": told.context,
                "together": told.together,
            }
        )
    )
    _write(folder / "gpu" / "nvidia-smi", _GPU)
    path = os.pathsep.join((str(folder / "gpu"), os.environ.get("PATH", "")))
    return {row.find.variable: str(_install(row, folder, settings)), "PATH": path}


def _install(row: ServerRow, folder: Path, settings: Path) -> Path:
    script = _SCRIPT.format(
        root=_ROOT, python=sys.executable, stand_in=_STAND_IN, settings=settings
    )
    if row.find.holds:
        (folder / row.find.holds).write_text("# the stand-in takes the place of its Python\n")
        _write(folder / row.find.pythons[0], script)
        return folder
    _write(folder / "bin" / row.find.program, script)
    _write(folder / "bin" / "python", script)
    return folder


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def with_weights(name: str, model: Path, place: Path) -> Path:
    """The model's folder as seen in `place`, and beside it all that its user would have made."""
    place.mkdir(parents=True, exist_ok=True)
    for suffix in ("", *(each.folder for each in shipped_servers()[name].precision.values())):
        link = place / (model.name + suffix)
        if not link.exists():
            link.symlink_to(model, target_is_directory=True)
    return place / model.name

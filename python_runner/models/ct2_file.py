"""What a `model.bin` of CTranslate2 says about its weights; the weights are not read.

The layout, little-endian: a version, the name of the model's kind, its revision, the number of
variables, then each with its name, shape, type, size and content. A text has its length and a
zero at the end.
"""

from __future__ import annotations

import math
import os
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from python_runner.common.errors import ModelError

_VERSION = 6
_TYPES = ("f32", "int8", "int16", "int32", "f16", "bf16")
"""By the number of a type."""


def stored_shares(path: Path) -> Mapping[str, float]:
    """Share of the weights that is stored as each type, the largest first.

    Raises:
        ModelError: it is no such file, or one that ends too early.
    """
    counts: dict[str, int] = {}
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            for kind, count in _variables(file, size):
                counts[kind] = counts.get(kind, 0) + count
    except (OSError, ValueError, IndexError, struct.error) as error:
        raise ModelError(
            f"{path} cannot be read as weights of CTranslate2: {error}",
            hint=f"Remove {path.parent} and run the command again: it is made anew.",
        ) from error
    total = sum(counts.values())
    ordered = sorted(counts.items(), key=lambda item: item[1], reverse=True)
    return {kind: count / total for kind, count in ordered}


def _variables(file: BinaryIO, size: int) -> list[tuple[str, int]]:
    """Type and number of weights of each variable, single numbers left out."""
    found = []
    (version,) = _read(file, "<I")
    if version != _VERSION:
        raise ValueError(f"version {version} of the format is not known")
    _text(file)
    _, variables = _read(file, "<II")
    for _ in range(variables):
        _text(file)
        (rank,) = _read(file, "<B")
        shape = _read(file, f"<{rank}I")
        kind, content = _read(file, "<BI")
        file.seek(content, os.SEEK_CUR)
        if file.tell() > size:
            raise ValueError("it ends too early")
        if rank:
            found.append((_TYPES[kind], math.prod(shape)))
    return found


def _text(file: BinaryIO) -> None:
    (length,) = _read(file, "<H")
    file.seek(length, os.SEEK_CUR)


def _read(file: BinaryIO, layout: str) -> tuple[int, ...]:
    return struct.unpack(layout, file.read(struct.calcsize(layout)))

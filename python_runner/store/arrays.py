"""Arrays as BLOBs: numbers one after the other, little-endian."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

INT64 = "<i8"
INT32 = "<i4"
BOOL = "|b1"


def pack(values: Sequence[float] | npt.NDArray[Any], kind: str = INT64) -> bytes:
    """Numbers as a BLOB of the type `kind`, eight bytes each unless said otherwise."""
    return np.asarray(values, dtype=kind).tobytes()


def unpack(blob: bytes, kind: str = INT64) -> npt.NDArray[Any]:
    """The numbers of a BLOB that `pack` made, shape (n,), in the machine's own byte order."""
    stored = np.frombuffer(blob, dtype=kind)
    return stored.astype(stored.dtype.newbyteorder("="), copy=False)

"""By what a machine knows itself again, and nobody else it."""

from __future__ import annotations

import hashlib
from pathlib import Path

_ID = Path("/etc/machine-id")
_DIGITS = 16


def machine_mark() -> str:
    """A hash of the machine's own number; empty where the system gives it none.

    The number itself is not to leave the machine (machine-id(5)), so it is hashed with our name.
    """
    try:
        number = _ID.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
    return hashlib.sha256(f"polystack {number}".encode()).hexdigest()[:_DIGITS] if number else ""

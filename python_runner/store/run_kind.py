"""What kinds of runs a store holds."""

from __future__ import annotations

from enum import StrEnum


class RunKind(StrEnum):
    """What a run holds."""

    COMPARISON = "comparison"
    """One request at a time: samples."""
    LOAD = "load"
    """Many requests at once: levels and their requests."""

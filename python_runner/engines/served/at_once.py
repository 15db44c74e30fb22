"""What a server makes of several requests at once, as far as that is declared."""

from __future__ import annotations

from enum import StrEnum

SEVERAL_AT_ONCE = "several requests at once"
"""The fact in `EngineDescription.build` that says it (`Batching`); only under load."""


class Batching(StrEnum):
    """As an engine's makers say. What it really does, runs show (`analyse.batching`)."""

    ONE_BY_ONE = "one request after the other"
    SLOTS = "as many together as there are slots"
    CONTINUOUS = "continuous batching"
    UNKNOWN = "not known"

"""How a stage says what it finds when it is asked about itself (`polystack doctor`)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class State(StrEnum):
    """How something stands."""

    READY = "ready"
    LATER = "made when needed"
    NOTE = "note"
    """Nothing is wrong, and it is good to know."""
    BROKEN = "broken"
    """A file of the user's has a mistake."""
    MISSING = "missing"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    subject: str
    state: State
    detail: str
    mend: str = ""
    """What to type or do about it."""
    expected_s: float = 0.0
    """About how long making it takes, in seconds; 0 if nothing is to be made."""
    is_needed: bool = False
    """Whether a default stack cannot run as long as it is missing."""


class Checkup(Protocol):
    """A part of the workbench that can be asked how it stands. Builds and starts nothing."""

    @property
    def title(self) -> str:
        """The heading of its findings."""

    def look(self) -> Iterable[Finding]:
        """Look now. Takes a second or so, and raises nothing that a user can cause."""

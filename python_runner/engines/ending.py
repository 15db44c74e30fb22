"""What a running engine has besides if it knows how its process ended."""

from __future__ import annotations

from typing import Protocol, runtime_checkable


@runtime_checkable
class SaysItsEnd(Protocol):
    """A server of ours: a client only sees that nobody answers any more."""

    def ending(self) -> str:
        """How it ended by itself; empty: it runs, or was stopped by us. May wait briefly."""

"""What an engine has besides if it is so large that it is installed only where it is named."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from python_runner.common.progress import Progress


@runtime_checkable
class OnRequest(Protocol):
    """Its `prepare` installs nothing, and raises SetupError with what to type."""

    def lack(self) -> str:
        """Why it cannot run yet, and what to type; empty if it is installed."""

    def install(self, progress: Progress) -> None:
        """Install and build what the engine needs; a second call does nothing.

        Raises SetupError when it cannot, with what to do in the hint.
        """

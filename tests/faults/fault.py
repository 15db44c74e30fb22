"""What a test of a fault says of itself."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

NAME = "fault"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One row of docs/reliability.md. Each in a few words, and true of the test that carries it."""

    what: str
    """What goes wrong."""
    injected: str
    """How the test makes it go wrong."""
    seen: str
    """What the user sees; the exit code, where a command ends."""
    kept: str
    """What is kept of the work so far."""


def fault(what: str, *, injected: str, seen: str, kept: str) -> pytest.MarkDecorator:
    """Marks a test, or one `pytest.param` of it, as a row of docs/reliability.md."""
    told = Fault(what=what, injected=injected, seen=seen, kept=kept)
    mark: pytest.MarkDecorator = getattr(pytest.mark, NAME)(told)
    return mark

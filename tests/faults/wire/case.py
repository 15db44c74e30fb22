"""One case of the table: what is sent, and what both readers must make of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import pytest

from python_runner.engines.contract import Dialect
from tests.faults.fault import fault
from tests.faults.wire.raw_server import Then
from tests.faults.wire.spoken import ALL, TEXTS, Spoken

READ = "the answer as if it had come in one piece: four tokens, in both readers"
KEPT_ALL = "all of it"
KEPT_NONE = "no figure is made of it"


@dataclass(frozen=True, kw_only=True)
class Case:
    """One answer in every dialect where it makes sense."""

    name: str
    what: str
    injected: str
    pieces: Callable[[Spoken], Iterable[bytes]]
    dialects: tuple[Dialect, ...] = ALL
    why: str = ""
    """Regular expression of the failure in both readers; empty: a good answer."""
    seen: str = ""
    """What the user reads of it; empty: `READ`, or an error with the words of `why`."""
    text: str = "".join(TEXTS)
    then: Then = Then.CLOSE
    pause_s: float = 0.002
    timeout_s: float = 30.0

    @property
    def param(self) -> object:
        """As a parameter of a test."""
        seen = self.seen or (f"an error: {self.why}" if self.why else READ)
        kept = KEPT_NONE if self.why else KEPT_ALL
        row = fault(self.what, injected=self.injected, seen=seen, kept=kept)
        return pytest.param(self, id=self.name, marks=row)

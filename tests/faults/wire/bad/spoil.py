"""Good answers made bad, in ways that several cases share."""

from __future__ import annotations

from tests.faults.wire.raw_server import chunked
from tests.faults.wire.spoken import Spoken

NO_MESSAGE = r"no (stream|message|JSON)|the server: \{"
"""What readers say of what is no message."""
LIMIT_S = 0.4
"""For answers that have no end."""


def spoilt(spoken: Spoken, payload: bytes) -> list[bytes]:
    """A good answer whose third event is `payload`."""
    events = spoken.whole()
    return chunked([*events[:2], spoken.event(payload), *events[2:]])


def with_count(spoken: Spoken, number: object) -> list[bytes]:
    return chunked([*spoken.tokens(), *spoken.end(number)])

"""Knobs of garbage collectors: what they take, and what a title says of them."""

from __future__ import annotations

import re

from python_runner.common.errors import UsageError

GOGC = re.compile(r"off|[1-9]\d{0,8}")
"""What Go understands; anything else it takes for its default without a word."""
GOGC_DEFAULT = "100"
GOGC_KNOB = "how much Go's heap may grow between two collections: off, or per cent (Go's own: 100)"


def gogc_value(value: str) -> str:
    """`value`. Raises UsageError if Go would not understand it."""
    if not GOGC.fullmatch(value):
        raise UsageError(
            f"gogc cannot be {value!r}", hint="It is `off` or a percentage; Go's own is 100."
        )
    return value


def gogc_words(value: str) -> str:
    """`GOGC off`, `GOGC 25`."""
    return f"GOGC {value}"

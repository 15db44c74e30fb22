"""Values with a unit in them, as people write them in studies and options."""

from __future__ import annotations

import re

from python_runner.common.errors import UsageError

_PERCENT = re.compile(r"(\d+(?:\.\d+)?|\.\d+)\s*%")


def parse_percent(text: str) -> float:
    """0.02 for `2%`. Raises UsageError if there is no such sign, or for 0 and 100 and more."""
    found = _PERCENT.fullmatch(text.strip())
    share = float(found[1]) / 100 if found else 0.0
    if not 0 < share < 1:
        raise UsageError(
            f"{text!r} is no share", hint="Write a number between 0 and 100 and its sign: 2%."
        )
    return share

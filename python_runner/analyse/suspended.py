"""Requests during which something did not run: a machine asleep, an engine or workbench stopped.

Their stamps are true, and tell nothing of the engine: no figure is made of them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from python_runner.common.clock import NS_PER_S


def suspension_of(request: Mapping[Any, Any]) -> str:
    """`engine stopped for 2.1 s`, and its error; empty if nothing was seen, or nobody looked.

    Args:
        request: a row of samples, or of a load's requests; rows of runs from before there were
            such marks lack `suspended_by`.
    """
    by = request.get("suspended_by")
    if not isinstance(by, str) or not by:
        return ""
    lasted, error = request.get("suspended_ns"), request.get("error")
    words = " and ".join(by.split(", "))
    if lasted is not None and not math.isnan(float(lasted)):
        words = f"{words} for {float(lasted) / NS_PER_S:.1f} s"
    return f"{words}: {error}" if error else words

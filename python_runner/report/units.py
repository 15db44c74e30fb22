"""Numbers as people read them: three digits that count, and the unit beside them."""

from __future__ import annotations

import math
from dataclasses import dataclass

TO = "\N{EN DASH}"
TIMES = "\N{MULTIPLICATION SIGN}"
MISSING = TO
_MS_PER_S = 1000.0


@dataclass(frozen=True, kw_only=True)
class TimeUnit:
    """The unit of an axis."""

    name: str
    ms: float
    """Milliseconds in one unit."""


MILLISECONDS = TimeUnit(name="ms", ms=1.0)
SECONDS = TimeUnit(name="s", ms=_MS_PER_S)


def unit_for(longest_ms: float) -> TimeUnit:
    """Seconds from one second on, milliseconds below (and where nothing was measured)."""
    return SECONDS if longest_ms >= _MS_PER_S else MILLISECONDS


def spell_number(value: float, digits: int = 3) -> str:
    """`value` with `digits` digits that count: 0.123, 1.23, 12.3, 123, 1,234."""
    if not math.isfinite(value):
        return MISSING
    if value == 0:
        return "0"
    decimals = digits - 1 - math.floor(math.log10(abs(value)))
    # Rounding can carry: 9.996 has three digits as 10.0, not as 10.00.
    decimals = digits - 1 - math.floor(math.log10(abs(round(value, decimals))))
    return f"{value:,.{max(0, decimals)}f}"


def spell_time(value_ms: float) -> str:
    """`812 ms`, `7.93 s`, or a dash for NaN."""
    if not math.isfinite(value_ms):
        return MISSING
    unit = unit_for(float(f"{value_ms:.3g}"))
    return f"{spell_number(value_ms / unit.ms)} {unit.name}"


def spell_range(low_ms: float, high_ms: float) -> str:
    """`7.88-8.02 s` with an en dash, in the unit of the upper end; a dash for NaN."""
    if not (math.isfinite(low_ms) and math.isfinite(high_ms)):
        return MISSING
    unit = unit_for(float(f"{high_ms:.3g}"))
    ends = (spell_number(value / unit.ms) for value in (low_ms, high_ms))
    return f"{TO.join(ends)} {unit.name}"


def spell_bytes(value: float) -> str:
    """`5.23 GB`: powers of ten, as disks and models are sold; a dash for NaN."""
    if not math.isfinite(value):
        return MISSING
    name, size = ("GB", 1e9) if value >= 999.5e6 else ("MB", 1e6)
    return f"{spell_number(value / size)} {name}"


def spell_ratio(value: float) -> str:
    """`1.12` with a multiplication sign, or a dash for NaN."""
    return f"{spell_number(value)}{TIMES}" if math.isfinite(value) else MISSING

"""Numbers as people read them: three digits that count, and the unit beside them."""

from __future__ import annotations

import math
from dataclasses import dataclass

TO = "\N{EN DASH}"
TIMES = "\N{MULTIPLICATION SIGN}"
MINUS = "\N{MINUS SIGN}"
ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"
INFINITY = "\N{INFINITY}"
PLUS_MINUS = "\N{PLUS-MINUS SIGN}"
MICRO = "\N{MICRO SIGN}"
MISSING = TO
_MS_PER_S = 1000.0
_LEAST_ERROR_MS = 0.01
"""Nobody knows an error more finely than that."""


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


def spell_duration(seconds: float) -> str:
    """`8 s`, `3 min`, `1 h 20 min`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


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


def spell_error(error_ms: float) -> str:
    """A small time as an error is written: `0.2 ms`, `0.15 ms`, `40 µs`; a dash for NaN."""
    if not math.isfinite(error_ms):
        return MISSING
    if abs(error_ms) < 0.1:
        return f"{_error_digits(error_ms * 1000)} {MICRO}s"
    return f"{_error_digits(error_ms)} ms"


def _error_digits(value: float) -> str:
    """One digit that counts, or two where the first is a 1; a larger number whole."""
    if abs(value) >= 9.5:
        return f"{value:,.0f}"
    leading = f"{abs(value):e}"[0]
    return f"{float(f'{value:.2g}' if leading == '1' else f'{value:.1g}'):g}"


def spell_sure_time(value_ms: float, error_ms: float) -> str:
    """`51.2 ms ± 0.2`: a time and how far our own clock may be off.

    The error is in the time's unit if that is milliseconds, else it names its own. Without an
    error, only the time.
    """
    if not (math.isfinite(value_ms) and math.isfinite(error_ms)):
        return spell_time(value_ms)
    error = spell_error(abs(error_ms))
    if unit_for(float(f"{value_ms:.3g}")) is MILLISECONDS:
        error = _error_digits(max(abs(error_ms), _LEAST_ERROR_MS))
    return f"{spell_time(value_ms)} {PLUS_MINUS} {error}"


def spell_percent(value: float) -> str:
    """`2.1 %` for 0.021, or a dash for NaN; two digits that count."""
    if not math.isfinite(value):
        return MISSING
    percent = value * 100
    return f"{float(f'{percent:.3g}' if percent >= 10 else f'{percent:.2g}'):g} %"


def spell_share(value: float) -> str:
    """`93.4%`, `100%`, or a dash for NaN. Never rounded up to all, or down to nothing."""
    if not math.isfinite(value):
        return MISSING
    percent = value * 100
    if 0 < percent < 0.1:
        return "<0.1%"
    if 99.9 < percent < 100:
        return ">99.9%"
    return f"{float(f'{percent:.3g}'):g}%"


def spell_change(value: float) -> str:
    """A relative change: `+0.3 %`, `-12 %` with a minus sign; a dash for NaN."""
    return f"{_signed(value)} %" if math.isfinite(value) else MISSING


def spell_change_range(low: float, high: float) -> str:
    """Its interval: `-1.1 ... +1.6`, per cent, with minus sign and ellipsis; empty for NaN."""
    if math.isnan(low) or math.isnan(high):
        return ""
    return f"{_signed(low)} {ELLIPSIS} {_signed(high)}"


def _signed(value: float) -> str:
    percent = value * 100
    if not math.isfinite(percent):
        return f"{'+' if percent > 0 else MINUS}{INFINITY}"
    digits = 1 if abs(percent) < 9.95 else 0
    shown = f"{abs(percent):,.{digits}f}"
    if float(shown.replace(",", "")) == 0:
        return "0.0"
    return f"{MINUS if percent < 0 else '+'}{shown}"

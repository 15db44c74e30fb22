"""What is said of a run that was interrupted and went on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from python_runner.report.units import spell_duration


def resumed_words(run: Mapping[Any, Any]) -> Iterator[str]:
    """One line, if the run (a row of `Frames.runs`) was measured in parts."""
    times = run.get("resumed")
    if not isinstance(times, list) or not times:
        return
    is_load = run.get("kind") == "load"
    went_on = ", ".join(_once(each) for each in times)
    yield (
        f"Measured in {len(times) + 1} parts: it was interrupted, and went on {went_on}. "
        f"The machine may have changed in between; {_cut(times, is_load=is_load)}."
        f"{_again(times)}"
    )


def _once(entry: Mapping[str, Any]) -> str:
    at = str(entry["at"])
    day, _, time = at.partition("T")
    return f"on {day} at {time[:5]} UTC{_later(entry.get('last_seen'), at)}"


def _later(seen: str | None, at: str) -> str:
    """How long it lay; nothing where the clock was set back, or it is not known."""
    if not seen:
        return ""
    seconds = (datetime.fromisoformat(at) - datetime.fromisoformat(seen)).total_seconds()
    # A run that was killed is last seen when its last visit began.
    return f" (at most {spell_duration(seconds)} later)" if seconds >= 0 else ""


def _cut(times: Sequence[Mapping[str, Any]], *, is_load: bool) -> str:
    cut = sorted({int(number) for each in times for number in each["cut"]})
    if not cut:
        return f"no {'level' if is_load else 'block'} was cut"
    numbers = ", ".join(map(str, cut))
    if is_load:
        return f"what was cut (level {numbers}) was made again whole, and stands in no figure"
    lie = f"block {numbers} lies" if len(cut) == 1 else f"blocks {numbers} lie"
    return f"{lie} on both sides of a pause, all others are of one part"


def _again(times: Sequence[Mapping[str, Any]]) -> str:
    names = sorted({name for each in times for name in each["again"]})
    if not names:
        return ""
    return f" Tried again after an error, and not beside the others: {', '.join(names)}."

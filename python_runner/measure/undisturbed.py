"""What is measured once and not as samples: thrown away, and made again, where nothing ran."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from python_runner.measure.time_watch import TimeWatch, spell_marks

TRIES = 3

_Found = TypeVar("_Found")


def undisturbed(
    measure: Callable[[], _Found], *, what: str, watch: TimeWatch, say: Callable[[str], None]
) -> tuple[_Found, str]:
    """What `measure` found in a try in which time went on as usual, and an empty string.

    After `TRIES` that were all disturbed: what the last found, and why it must not be used.
    """
    for number in range(1, TRIES + 1):
        with watch.request() as looked:
            found = measure()
        lost = spell_marks(looked.marks)
        if not lost:
            break
        then = "made again" if number < TRIES else "given up"
        say(f"{what} is thrown away and {then}: {lost}")
    return found, lost

"""The words that get pieces of their own: those of the training text, then common ones."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def _section(name: str) -> tuple[str, ...]:
    return tuple(_words(name, (Path(__file__).with_suffix(".txt")).read_text().splitlines()))


def _words(name: str, lines: Iterable[str]) -> Iterable[str]:
    current = ""
    for line in lines:
        if line.startswith("["):
            current = line.strip("[]")
        elif current == name:
            yield from line.split()


COLOURS = _section("colours")
NOUNS = _section("nouns")
NAMES = _section("names")
DAYS = _section("days")
MONTHS = _section("months")
NUMBER_WORDS = _section("number-words")
FRAME_WORDS = _section("frame-words")
"""Words that hold the documents of the training text together."""
CORE_WORDS = (*COLOURS, *NOUNS, *NAMES, *DAYS, *MONTHS, *NUMBER_WORDS, *FRAME_WORDS)
"""Each is one piece, with the space before it."""
COMMON_WORDS = _section("common-words")
"""Words of ordinary prompts; they become pieces as far as there is room."""

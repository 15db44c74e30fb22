"""Words that nobody else writes, and where they are found afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

KEY = "sk-canary-7Qf3xVn2Lp9"
PROMPT = "heliotrope zeppelin"
"""In every prompt of the tests that look for it."""


def files_with(word: str, *folders: Path) -> Iterator[Path]:
    """The files below these folders that hold the word, as text or within something else."""
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and word.encode() in path.read_bytes():
                yield path


def prompts_file(folder: Path, count: int = 4) -> Path:
    """A file of prompts, each with the canary."""
    path = folder / "prompts.txt"
    lines = [f"The {PROMPT} number {number} flies over the town." for number in range(count)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path

"""The texts of the contract suite, from tests/data."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parents[1] / "data"


@dataclass(frozen=True, kw_only=True)
class TokenizerCase:
    """A text, and how every engine must read it."""

    name: str
    text: str
    ids: tuple[int, ...]


def _read(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((_FOLDER / name).read_text(encoding="utf-8"))
    return content


_PROMPTS = _read("heldout_prompts.json")

HELD_OUT: tuple[str, ...] = tuple(entry["prompt"] for entry in _PROMPTS["prompts"])
"""Prompts that the tiny model was not trained on and is sure how to go on from."""

END_PROMPT: str = _PROMPTS["ends_by_itself"]["prompt"]
"""A prompt whose answer ends by itself, after a few tokens."""

TOKENIZER_CASES: tuple[TokenizerCase, ...] = tuple(
    TokenizerCase(name=case["name"], text=case["text"], ids=tuple(case["ids"]))
    for case in _read("tokenizer_cases.json")["cases"]
)

"""The fixed text on which perplexity is taken: our own words, and always as many tokens."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from python_runner.engines.scoring import ScoreRequest

PASSAGE_TOKENS = 128
"""That are scored. Engines are compared on the same tokens, so few of them will do."""


def passage_request(encode: Callable[[str], tuple[int, ...]]) -> ScoreRequest:
    """The first tokens of the passage, as `encode` (BOS first) reads it.

    The very first token, usually BOS, is what the others follow, and is not scored.
    """
    text = (Path(__file__).parent / "passage.txt").read_text(encoding="utf-8")
    ids = encode(text)[: PASSAGE_TOKENS + 1]
    return ScoreRequest(prompt_ids=ids[:1], answer_ids=ids[1:])

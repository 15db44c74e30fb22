"""Prompts of our own: all different, all of exactly the same number of tokens.

A prompt cache keeps the longest prefix it has seen, so the prompts also differ from
their first token on, as far as there are enough different ones.
"""

from __future__ import annotations

import random
from bisect import bisect_left
from collections.abc import Callable
from functools import cache
from pathlib import Path

from python_runner.common.errors import StudyError
from python_runner.measure.plan import Prompt

_ATTEMPTS = 400


def make_prompts(
    *,
    count: int,
    tokens: int,
    seed: int,
    encode: Callable[[str], tuple[int, ...]],
    render: Callable[[str], str],
) -> tuple[Prompt, ...]:
    """Make `count` prompts of exactly `tokens` tokens each, BOS and template included.

    Args:
        count: how many.
        tokens: length of each in tokens of the model.
        seed: the same seed gives the same prompts.
        encode: the reference tokenizer, BOS first.
        render: puts the text into the template.

    Raises:
        StudyError: no text of that length can be made, the template alone being longer.
    """
    shuffle = random.Random(seed)  # noqa: S311 - texts, no secrets
    words = _words()
    prompts: list[Prompt] = []
    texts: set[str] = set()
    first_ids: set[tuple[int, ...]] = set()
    opening = len(encode(render("")))
    for _ in range(count * _ATTEMPTS):
        if len(prompts) == count:
            break
        prompt = _compose(shuffle.sample(words, len(words)), tokens, encode, render)
        if prompt is None or prompt.text in texts:
            continue
        first = prompt.ids[: opening + 1] if opening < tokens else prompt.ids
        if first in first_ids and len(prompts) < len(words) // 8:
            continue
        prompts.append(prompt)
        texts.add(prompt.text)
        first_ids.add(first)
    if len(prompts) < count:
        raise StudyError(
            f"workload.prompt_tokens = {tokens}: no {count} different prompts of that length "
            f"could be made (template and BOS alone take {opening})",
            hint="Ask for longer prompts.",
        )
    return tuple(prompts)


def make_text(words: int, *, seed: str) -> str:
    """So many words, without a tokenizer; the same seed gives the same ones."""
    choose = random.Random(seed)  # noqa: S311 - texts, no secrets
    return " ".join(choose.choices(_words(), k=words))


@cache
def _words() -> list[str]:
    return (Path(__file__).parent / "words.txt").read_text(encoding="utf-8").split()


def _compose(
    candidates: list[str],
    tokens: int,
    encode: Callable[[str], tuple[int, ...]],
    render: Callable[[str], str],
) -> Prompt | None:
    """Take words in their order until the length is met exactly; None if none fits the gap."""
    # A prompt is at least as long in tokens as in words.
    order = candidates * (1 + tokens // len(candidates))

    def length_of(count: int) -> int:
        return len(encode(render(" ".join(order[:count]))))

    # More words never make fewer tokens, so where they become too many is found by halving.
    enough = bisect_left(range(len(order) + 1), tokens, lo=1, key=length_of)
    words = order[: enough - 1]
    for word in order[enough - 1 :]:
        text = render(" ".join([*words, word]))
        ids = encode(text)
        if len(ids) == tokens:
            return Prompt(text=text, ids=ids)
        if len(ids) < tokens:
            words.append(word)
    return None

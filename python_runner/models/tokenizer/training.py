"""Byte-pair encoding, learnt from a list of words, under the two rules of `vocabulary.py`."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Sequence


def learn_words(pieces: Sequence[str], words: Iterable[str], *, most: int) -> list[str]:
    """Add pieces, most frequent pair first, until every word is one piece or `most` are reached.

    Args:
        pieces: what there is already, in the order of merging; single characters included.
        words: what shall become single pieces, all weighing the same.
        most: how many pieces there may be in the end.

    Returns:
        `pieces` and the new ones after them. A word stays in parts where a piece for it
        would break one of the rules.
    """
    learnt = list(pieces)
    ranks = {piece: rank for rank, piece in enumerate(learnt)}
    split = [merge(word, ranks) for word in words]
    refused: set[str] = set()
    while len(learnt) < most:
        counts = Counter("".join(pair) for parts in split for pair in itertools.pairwise(parts))
        candidates = [c for c in counts if c not in refused]
        if not candidates:
            break
        # The text itself breaks ties, so that the order of counting does not matter.
        chosen = min(candidates, key=lambda c: (-counts[c], len(c), c))
        if breaks_a_rule(chosen, learnt, ranks):
            refused.add(chosen)
            continue
        ranks[chosen] = len(learnt)
        learnt.append(chosen)
        split = [_join(parts, chosen) for parts in split]
    return learnt


def merge(text: str, ranks: dict[str, int]) -> list[str]:
    """Split `text` the way every engine does: the earliest piece first, leftmost first."""
    parts = list(text)
    while True:
        pairs = [
            (ranks[whole], at)
            for at in range(len(parts) - 1)
            if (whole := parts[at] + parts[at + 1]) in ranks
        ]
        if not pairs:
            return parts
        _, at = min(pairs)
        parts[at : at + 2] = [parts[at] + parts[at + 1]]


def breaks_a_rule(piece: str, learnt: Sequence[str], ranks: dict[str, int]) -> bool:
    """Whether `piece` has a border, or an earlier piece could be split into it and another."""
    if has_border(piece):
        return True
    for earlier in learnt:
        rest = len(earlier) - len(piece)
        if rest <= 0:
            continue
        if earlier.startswith(piece) and earlier[-rest:] in ranks:
            return True
        if earlier.endswith(piece) and earlier[:rest] in ranks:
            return True
    return False


def has_border(piece: str) -> bool:
    """Whether a proper prefix of `piece` is also its suffix."""
    return any(piece.endswith(piece[:n]) for n in range(1, len(piece)))


def _join(parts: list[str], piece: str) -> list[str]:
    joined: list[str] = []
    for part in parts:
        if joined and joined[-1] + part == piece:
            joined[-1] = piece
        else:
            joined.append(part)
    return joined

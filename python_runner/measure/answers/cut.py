"""Cut a text into the tokens that an engine may have made it of, where it gave no ids.

A text has many cuts: " the" is one token, and " t" and "he" are two that read the same. The
tokenizer's own cut need not be the engine's, least of all with random weights, whose pieces
make no words. So the reference helps: of the tokens that fit the text at a place, the one that
it finds most likely is taken, since that is what a greedy engine would have done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from python_runner.engines.scoring import TokenScores

_MOST_PASSES = 12
"""Of the reference, for one text. Each settles at least one more place."""
_BROKEN = "\N{REPLACEMENT CHARACTER}"
"""Stands in a decoded text for a part of a character."""

Ids = tuple[int, ...]


class Tokenizer(Protocol):
    """Part of `models.ReferenceTokenizer`."""

    def encode(self, text: str) -> Ids: ...
    def encode_plain(self, text: str) -> Ids: ...
    def decode(self, ids: Ids) -> str: ...


class Reader:
    """Reads the tokens of an answer to one prompt."""

    def __init__(self, tokenizer: Tokenizer, prompt_text: str) -> None:
        self._tokenizer = tokenizer
        self._prompt_text = prompt_text
        self.prompt_ids = tokenizer.encode(prompt_text)
        self._decoded_prompt = tokenizer.decode(self.prompt_ids)

    def text_of(self, ids: Ids) -> str:
        """The text of an answer, as it stands behind the prompt; no broken character at its end.

        Some tokenizers drop a space at the very beginning of a text, so the prompt is decoded too.
        """
        whole = self._tokenizer.decode((*self.prompt_ids, *ids))
        return whole[len(self._decoded_prompt) :].rstrip(_BROKEN)

    def fits(self, ids: Ids, text: str) -> bool:
        """Whether `text` begins with these tokens."""
        return text.startswith(self.text_of(ids))

    def complete(self, begin: Ids, text: str) -> Ids | None:
        """`begin` and the tokenizer's own cut of the rest of `text`; None if it has none."""
        rest = text[len(self.text_of(begin)) :]
        whole = self._tokenizer.encode(self._prompt_text + text)
        prefix = (*self.prompt_ids, *begin)
        tails = [self._tokenizer.encode_plain(rest)]
        if whole[: len(prefix)] == prefix:
            tails.insert(0, whole[len(prefix) :])
        for tail in tails:
            ids = (*begin, *tail)
            if self.text_of(ids) == text.rstrip(_BROKEN):
                return ids
        return None


def cut_text(
    text: str, reader: Reader, known: Iterable[Ids], score: Callable[[Ids], TokenScores]
) -> tuple[Ids, TokenScores] | None:
    """The most likely cut of `text` and its scores; None if the tokenizer cannot give the text.

    Args:
        text: the answer.
        reader: of answers to its prompt.
        known: other answers to that prompt; as far as one reads the same, its cut is taken.
        score: asks the reference; one pass each.
    """
    ids = reader.complete(_longest_common(text, reader, known), text)
    if not ids:
        return None
    settled = 0
    for _ in range(_MOST_PASSES):
        scores = score(ids)
        better = _first_better(ids, scores, text, reader, settled)
        if better is None:
            return ids, scores
        settled = len(better)
        completed = reader.complete(better, text)
        if completed is None:
            return ids, scores
        ids = completed
    return ids, score(ids)


def _longest_common(text: str, reader: Reader, known: Iterable[Ids]) -> Ids:
    best: Ids = ()
    for ids in known:
        count = next(
            (n for n in range(len(ids), 0, -1) if reader.fits(ids[:n], text)),
            0,
        )
        if count > len(best):
            best = ids[:count]
    return best


def _first_better(
    ids: Ids, scores: TokenScores, text: str, reader: Reader, settled: int
) -> Ids | None:
    """The cut up to and with the first token in whose place a likelier one fits, that one taken."""
    for place in range(settled, len(ids)):
        for candidate in scores.top_ids[place]:
            if candidate == ids[place]:
                break
            begin = (*ids[:place], candidate)
            # A token without a text of its own (a mark, a part of a character) fits everywhere.
            if reader.text_of(begin) != reader.text_of(ids[:place]) and reader.fits(begin, text):
                return begin
    return None

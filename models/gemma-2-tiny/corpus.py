"""The text that the tiny model is trained on, and the prompts that are kept out of it.

Every document opens with something that can't be foreseen (which items, which name, where
to start) and then goes on in the only way that follows from it. A model that has
understood the kinds of documents is therefore sure of every token, which is what a test of
equality between engines needs. All text is made here, from word lists of our own.

What may not be trained on is decided by a hash of the choices that were made (`is_held_out`),
not by a list: the training text cannot contain a held-out document by accident.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from python_runner.models.tokenizer.lexicon import (
    COLOURS,
    COMMON_WORDS,
    DAYS,
    MONTHS,
    NAMES,
    NOUNS,
    NUMBER_WORDS,
)

CHARACTERS = 4000
"""Documents that repeat go on for at least this long: more than any context."""
HELD_OUT_ONE_IN = 10
_LETTERS = tuple("abcdefghijklmnopqrstuvwxyz")
_LAST_NUMBER = 199
_VERBS = ("sees", "sings with", "is near", "is under")


@dataclass(frozen=True, kw_only=True)
class Document:
    """A text in two parts."""

    kind: str
    choices: str
    """What was chosen for it, in an order that does not depend on where it starts."""
    opening: str
    """Cannot be foreseen. Holds all that is needed to know `rest`: of what comes again, also
    the first words of the second time, without which nobody could know that it begins."""
    rest: str
    """Follows from `opening`."""
    ends: bool = False
    """Whether <eos> follows. Only documents that say goodbye end."""

    @property
    def is_held_out(self) -> bool:
        """Whether this document must not be trained on."""
        digest = hashlib.sha256(f"{self.kind}|{self.choices}".encode()).digest()
        return digest[0] % HELD_OUT_ONE_IN == 0


Maker = Callable[[random.Random], Document]


def documents(
    seed: int, *, held_out: bool = False, kinds: Sequence[str] = ()
) -> Iterator[Document]:
    """An endless stream of documents, the same for the same seed.

    Args:
        seed: of the stream.
        held_out: False for text to train on, True for text that never is.
        kinds: only these; all if empty.
    """
    chance = random.Random(seed)  # noqa: S311 - texts, no secrets
    makers = [(MAKERS[kind], SHARES[kind]) for kind in (kinds or MAKERS)]
    while True:
        (maker,) = chance.choices([m for m, _ in makers], [share for _, share in makers])
        document = maker(chance)
        if document.is_held_out == held_out:
            yield document


def _repeated(unit: str) -> str:
    return unit * (CHARACTERS // len(unit) + 1)


def _again_and_again(kind: str, choices: str, before: str, unit: str, *, known: int) -> Document:
    """`before`, then `unit` for ever; it is clear that it repeats after `known` words more."""
    head = "".join(f" {word}" for word in unit.split()[:known])
    return Document(
        kind=kind,
        choices=choices,
        opening=f"{before}:{unit}{head}",
        rest=_repeated(unit)[len(head) :],
    )


def _cycle(chance: random.Random) -> Document:
    """A few things that come again and again, with commas."""
    items = _items(chance, chance.randint(2, 6))
    unit = "".join(f" {item}," for item in items)
    return _again_and_again("cycle", ",".join(sorted(items)), "list", unit, known=1)


def _items(chance: random.Random, count: int) -> list[str]:
    """Distinct things of one sort; no word is in two of them."""
    sort = chance.randrange(4)
    if sort == 0:
        return chance.sample(NAMES, count)
    if sort == 1:
        return chance.sample(NOUNS, count)
    if sort == 2:
        numbers = [n for n in NUMBER_WORDS if n != "one"]
        nouns = chance.sample(NOUNS, count)
        return [f"{n} {noun}" for n, noun in zip(chance.sample(numbers, count), nouns, strict=True)]
    nouns = chance.sample(NOUNS, count)
    return [f"{c} {noun}" for c, noun in zip(chance.sample(COLOURS, count), nouns, strict=True)]


def _words(chance: random.Random) -> Document:
    """Any known words, and then the same words again, without commas."""
    words = chance.sample(_KNOWN_WORDS, chance.randint(3, 12))
    unit = "".join(f" {word}" for word in words)
    return _again_and_again("words", " ".join(sorted(words)), "words", unit, known=1)


_KNOWN_WORDS = (*COLOURS, *NOUNS, *NAMES, *NUMBER_WORDS)


def _filler(chance: random.Random) -> Document:
    """Ordinary words in no order: teaches that such a text goes on, whatever it says."""
    words = chance.sample(_ALL_WORDS, chance.randint(30, 120))
    return Document(
        kind="filler",
        choices=" ".join(sorted(words)),
        opening=" ".join(words),
        rest="",
    )


_ALL_WORDS = (*_KNOWN_WORDS, *COMMON_WORDS)


def _verse(chance: random.Random) -> Document:
    """Sentences that are sung again from the beginning."""
    count = chance.randint(2, 4)
    nouns = chance.sample(NOUNS, 2 * count)
    colours = chance.sample(COLOURS, 2 * count)
    things = [f"{colour} {noun}" for colour, noun in zip(colours, nouns, strict=True)]
    verbs = [chance.choice(_VERBS) for _ in range(count)]
    unit = "".join(
        f" The {first} {verb} the {second}."
        for first, verb, second in zip(things[::2], verbs, things[1::2], strict=True)
    )
    name = chance.choice(NAMES)
    return _again_and_again("verse", ",".join(sorted(things)), f"{name} sings", unit, known=2)


def _count(chance: random.Random) -> Document:
    """Counting upwards from anywhere."""
    name, start = chance.choice(NAMES), chance.randint(1, 160)
    numbers = "".join(f" {n}," for n in range(start + 2, _LAST_NUMBER + 1))
    return Document(
        kind="count",
        choices=f"{name} {start}",
        opening=f"{name} counts: {start}, {start + 1},",
        rest=numbers,
    )


def _round(
    chance: random.Random, kind: str, verb: str, ring: Sequence[str], comma: str
) -> Document:
    """What comes in a fixed order and begins again: days, months, letters."""
    name, start = chance.choice(NAMES), chance.randrange(len(ring))
    turned = [*ring[start:], *ring[:start]]
    unit = "".join(f" {word}{comma}" for word in turned)
    opening = "".join(f" {word}{comma}" for word in turned[:2])
    return Document(
        kind=kind,
        choices=f"{name} {turned[0]}",
        opening=f"{name} {verb}:{opening}",
        rest=_repeated(unit)[len(opening) :],
    )


def _days(chance: random.Random) -> Document:
    return _round(chance, "days", "says days", DAYS, ",")


def _months(chance: random.Random) -> Document:
    return _round(chance, "months", "says months", MONTHS, ",")


def _letters(chance: random.Random) -> Document:
    return _round(chance, "letters", "says letters", _LETTERS, "")


def _farewell(chance: random.Random) -> Document:
    """Counting down, a goodbye, and the end of the text: the only kind that ends."""
    name, start = chance.choice(NAMES), chance.randint(4, 20)
    numbers = "".join(f" {n}," for n in range(start - 2, 0, -1))
    return Document(
        kind="farewell",
        choices=f"{name} {start}",
        opening=f"{name} counts down: {start}, {start - 1},",
        rest=f"{numbers} goodbye.",
        ends=True,
    )


MAKERS: Mapping[str, Maker] = MappingProxyType(
    {
        "cycle": _cycle,
        "words": _words,
        "verse": _verse,
        "count": _count,
        "days": _days,
        "months": _months,
        "letters": _letters,
        "farewell": _farewell,
        "filler": _filler,
    }
)
SHARES: Mapping[str, float] = MappingProxyType(
    {
        "cycle": 0.4,
        "words": 0.35,
        "verse": 0.28,
        "count": 0.1,
        "days": 0.04,
        "months": 0.04,
        "letters": 0.04,
        "farewell": 0.04,
        "filler": 0.12,
    }
)
"""How often each kind is drawn, relative to the others."""

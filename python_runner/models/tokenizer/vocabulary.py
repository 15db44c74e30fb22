"""Which pieces the tokenizer has, and in which order they are merged.

Two rules make the order of merging irrelevant, so that implementations can't differ:

1. A piece ranks after every piece it can be split into. So while the merges of one piece
   are under way, nothing that ranks before it can appear.
2. No piece has a border (a proper prefix that is also its suffix), so two places where the
   same piece could be merged never share a character.

Together: when it is a piece's turn, all places for it are known and independent, and
"leftmost first", "by score" and "by rank of the pair" all end in the same pieces.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from python_runner.models.tokenizer.lexicon import COMMON_WORDS, CORE_WORDS
from python_runner.models.tokenizer.training import has_border, learn_words

SPACE = "\u2581"
"""What stands for a space inside pieces, as in SentencePiece."""

SPECIALS = ("<pad>", "<eos>", "<bos>", "<unk>", "<mask>", "<start_of_turn>", "<end_of_turn>")
"""Markers in the order of their ids; the first five have Gemma's ids."""
EOS_ID, BOS_ID, UNK_ID = 1, 2, 3
END_OF_TURN_ID = 6
FIRST_BYTE_ID = len(SPECIALS)
FIRST_PIECE_ID = FIRST_BYTE_ID + 256

_CONSONANTS = "bcdfghjklmnpqrstvwxz"
_VOWELS = "aeiouy"
_SYLLABLES = tuple(c + v for c in _CONSONANTS for v in _VOWELS)
_ASCII = ("\n", "\t", SPACE, *(chr(code) for code in range(0x21, 0x7F)))
# Letters beyond ASCII that a large vocabulary has as pieces: Latin, Greek, Cyrillic, kana,
# and the first ideographs. All others are spelt in bytes.
_MORE_LETTERS = ((0xC0, 0x180), (0x391, 0x3CA), (0x410, 0x450), (0x3041, 0x30FF), (0x4E00, 0x5200))
_ROOM_FOR_MORE_LETTERS = 16_000
# Coprime to every power of the number of syllables: steps through all combinations in an
# order that looks shuffled, without a random number generator.
_STRIDE = 1_000_003


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """All pieces, by id: markers, bytes, then `pieces` in the order of their merging."""

    pieces: tuple[str, ...]

    @property
    def size(self) -> int:
        """Number of ids."""
        return FIRST_PIECE_ID + len(self.pieces)

    @cached_property
    def ranks(self) -> dict[str, int]:
        """Position of each piece among `pieces`; a lower one is merged earlier."""
        return {piece: rank for rank, piece in enumerate(self.pieces)}

    def ids(self) -> Iterator[tuple[str, int]]:
        """Every marker, byte and piece with its id."""
        for number, marker in enumerate(SPECIALS):
            yield marker, number
        for value in range(256):
            yield byte_piece(value), FIRST_BYTE_ID + value
        for rank, piece in enumerate(self.pieces):
            yield piece, FIRST_PIECE_ID + rank

    def merges(self) -> Iterator[tuple[str, str]]:
        """Every pair of pieces that together are a piece, in the order of that piece."""
        ranks = self.ranks
        for piece in self.pieces:
            for cut in range(1, len(piece)):
                left, right = piece[:cut], piece[cut:]
                if left in ranks and right in ranks:
                    yield left, right


def byte_piece(value: int) -> str:
    """The name of a byte that no piece covers."""
    return f"<0x{value:02X}>"


def make_vocabulary(size: int) -> Vocabulary:
    """The vocabulary of `size` ids; a pure function of the constants of this module.

    Raises:
        ValueError: `size` is too small for the single characters, or too large for what
            can be composed of three syllables.
    """
    room = size - FIRST_PIECE_ID
    letters = [*_ASCII]
    if size >= _ROOM_FOR_MORE_LETTERS:
        letters += [chr(code) for first, end in _MORE_LETTERS for code in range(first, end)]
    # Syllables rank first: whatever else is learnt, a consonant joins the vowel after it.
    base = [*letters, *_SYLLABLES]
    if room < len(base):
        raise ValueError(f"{size} ids are too few: {FIRST_PIECE_ID + len(base)} at least")
    pieces = learn_words(base, [SPACE + w for w in CORE_WORDS], most=room)
    pieces = learn_words(pieces, [SPACE + w for w in COMMON_WORDS], most=room)
    if len(pieces) < room:
        pieces += _compose_syllables(pieces, words_from=len(base), count=room - len(pieces))
    return Vocabulary(pieces=tuple(pieces))


def _compose_syllables(pieces: list[str], *, words_from: int, count: int) -> list[str]:
    """`count` new pieces of two and three syllables, with and without a space before them.

    Every run of syllables inside such a piece is a piece too, so whichever two neighbours
    are merged first, the rest can follow: each can be reached.
    """
    known = set(pieces)
    # A piece that a word can be split into would have to rank before that word.
    halves = {w[:n] for w in pieces[words_from:] for n in range(1, len(w))}
    halves |= {w[n:] for w in pieces[words_from:] for n in range(1, len(w))}
    reachable = {SPACE, *_SYLLABLES}
    made: list[str] = []
    for parts in _combinations():
        whole = "".join(parts)
        halves_are_reachable = {"".join(parts[:-1]), "".join(parts[1:])} <= reachable
        if not halves_are_reachable or has_border(whole):
            continue
        if whole in known:
            reachable.add(whole)
        elif whole not in halves:
            reachable.add(whole)
            made.append(whole)
            if len(made) == count:
                return made
    raise ValueError(f"only {len(made)} of {count} pieces could be composed")


def _combinations() -> Iterator[tuple[str, ...]]:
    """Parts of the pieces to compose, the shorter pieces first."""
    for length in (1, 2):
        heads = [*((SPACE, *run) for run in _runs(length - 1)), *_runs(length)]
        total = len(heads) * len(_SYLLABLES)
        for step in range(total):
            head, last = divmod(step * _STRIDE % total, len(_SYLLABLES))
            yield (*heads[head], _SYLLABLES[last])


def _runs(length: int) -> list[tuple[str, ...]]:
    if length == 0:
        return [()]
    return [(*run, s) for run in _runs(length - 1) for s in _SYLLABLES]

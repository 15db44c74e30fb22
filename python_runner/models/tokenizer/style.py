"""The conventions of a tokenizer, which differ from one architecture to the next."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TokenizerStyle:
    """How a tokenizer that we make behaves."""

    puts_bos: bool = True
    """Whether BOS comes first."""
    puts_space: bool = False
    """Whether a space is put before every text, as SentencePiece does by default."""
    is_gemmas: bool = False
    """Whether class and turns are Gemma's. Else they are plain ones: the classes that libraries
    have for other architectures change what the files say."""


GEMMA = TokenizerStyle(is_gemmas=True)

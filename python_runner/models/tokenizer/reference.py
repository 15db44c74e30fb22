"""The tokenizer that every engine's token ids are compared with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from python_runner.common.errors import ModelError


class ReferenceTokenizer:
    """Reads `tokenizer.json` with the small `tokenizers` library: no torch, fast to load."""

    def __init__(self, folder: Path) -> None:
        """Load the tokenizer of the model in `folder`.

        Raises:
            ModelError: there is none, or it cannot be read.
        """
        from tokenizers import Tokenizer

        path = folder / "tokenizer.json"
        try:
            # The library raises nothing more specific than Exception for a broken file.
            self._tokenizer = Tokenizer.from_buffer(path.read_bytes())
        except (OSError, ValueError) as error:
            raise ModelError(
                f"{path} cannot be read as a tokenizer: {error}",
                hint=f"Remove {folder} and run the command again: it is made anew.",
            ) from error

    @property
    def piece_count(self) -> int:
        """Number of token ids, markers and bytes included."""
        return self._tokenizer.get_vocab_size()

    def encode(self, text: str) -> tuple[int, ...]:
        """Token ids of `text`: BOS first, markers such as `<end_of_turn>` as one id each."""
        return tuple(self._tokenizer.encode(text).ids)

    def encode_plain(self, text: str) -> tuple[int, ...]:
        """Token ids of a text that stands within another: without what belongs before one."""
        return tuple(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def decode(self, ids: Sequence[int]) -> str:
        """The text of `ids`, markers included; bytes that are no UTF-8 become U+FFFD."""
        return self._tokenizer.decode(list(ids), skip_special_tokens=False)

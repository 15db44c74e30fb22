"""Texts of others (an answer, a server's error, a file's name) where a terminal shows them."""

from __future__ import annotations

import re

_STEERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_PICTURES = 0x2400
_DELETE, _DELETE_PICTURE = "\x7f", "\u2421"
_UNSHOWN = "\N{REPLACEMENT CHARACTER}"


def printable(text: str) -> str:
    """`text` with a sign in the place of each character that could steer a terminal.

    Escape sequences move the cursor, set the window's title or the clipboard, and hide what was
    said; marks of direction show words in another order. Line ends and tabs stay.
    """
    return _STEERS.sub(_sign, text)


def _sign(found: re.Match[str]) -> str:
    character = found[0]
    if character == _DELETE:
        return _DELETE_PICTURE
    return chr(_PICTURES + ord(character)) if character < " " else _UNSHOWN

"""The reason in what a server answers instead of what was asked for."""

from __future__ import annotations

import json
from typing import Any

_PARTS = ("message", "error", "detail", "msg")
"""Under which keys servers put it, the innermost first."""


def reason_in(body: str) -> str:
    """The sentence that tells why, where one can be found; else the body as it is.

    Servers write `{"error": {"message": …}}`, `{"message": …}`, `{"error": "…"}`, `{"detail": [
    {"loc": …, "msg": …}]}`, and one a string that is JSON again.
    """
    text = body.strip()
    try:
        found = _sentence(json.loads(text))
    except (ValueError, RecursionError):
        return text
    return found or text


def _sentence(said: Any) -> str:
    if isinstance(said, str):
        return reason_in(said) if said[:1] in {"{", "["} else said
    if isinstance(said, list):
        return "; ".join(filter(None, map(_sentence, said)))
    if not isinstance(said, dict):
        return ""
    found = next((said[key] for key in _PARTS if said.get(key)), None)
    where = said.get("loc")
    place = ".".join(str(part) for part in where) if isinstance(where, list) else ""
    sentence = _sentence(found)
    return f"{place}: {sentence}" if place and sentence else sentence

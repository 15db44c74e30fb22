"""A key for somebody else's server: read from the environment, sent, and kept nowhere."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping

from python_runner.common.errors import UsageError

HIDDEN = "***"
_USUAL_NAME = re.compile(r"[A-Z][A-Z0-9_]*")


def key_headers(
    variable: str | None, environment: Mapping[str, str] = os.environ
) -> tuple[dict[str, str], tuple[str, ...]]:
    """The header that carries the key, and the key itself as what must not be kept.

    Raises UsageError if the variable is not set, or holds what no header can carry; the value
    is never part of the message, nor is a name that could be a key that was put in its place.
    """
    if variable is None:
        return {}, ()
    shown = f" {variable}" if _USUAL_NAME.fullmatch(variable) else ""
    key = environment.get(variable, "").strip()
    if not key:
        unusual = "" if shown else " (its name is not repeated here: it could be the key itself)"
        raise UsageError(
            f"--api-key-env{shown}: the variable is not set{unusual}",
            hint=f"Give the name of a variable, and set it: export{shown or ' NAME'}=…, with the "
            "key itself in place of the dots.",
        )
    if not key.isascii() or not key.isprintable() or " " in key:
        raise UsageError(
            f"--api-key-env{shown}: its value is no key",
            hint="A key is one word of plain characters.",
        )
    return {"Authorization": f"Bearer {key}"}, (key,)


def hide(text: str, secrets: Iterable[str]) -> str:
    """`text` without the secrets that a server repeats."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, HIDDEN)
    return text

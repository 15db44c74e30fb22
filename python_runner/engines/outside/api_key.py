"""A key for somebody else's server: read from the environment, sent, and kept nowhere."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping

from python_runner.common.dumps import hide_memory
from python_runner.common.errors import UsageError
from python_runner.common.secrets import is_secret_name

HIDDEN = "***"
_USUAL_NAME = re.compile(r"[A-Z][A-Z0-9_]*")


def key_headers(
    variable: str | None, environment: Mapping[str, str] = os.environ
) -> tuple[dict[str, str], tuple[str, ...]]:
    """The header that carries the key, and the key itself as what must not be kept.

    From then on no other process can read our memory, and no dump is made of it.

    Raises UsageError if the variable is not set, or holds what no header can carry, or has a name
    that does not say that it is secret: engines that are started here would inherit it. The value
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
    if not is_secret_name(variable):
        raise UsageError(
            f"--api-key-env{shown}: the name does not say that it holds a key, and engines that "
            "are started here would inherit it",
            hint="Put the key into a variable whose name has KEY, TOKEN, SECRET or PASSWORD as a "
            "word, such as HOSTED_KEY, and name that.",
        )
    if not key.isascii() or not key.isprintable() or " " in key:
        raise UsageError(
            f"--api-key-env{shown}: its value is no key",
            hint="A key is one word of plain characters.",
        )
    hide_memory()
    return {"Authorization": f"Bearer {key}"}, (key,)


def hide(text: str, secrets: Iterable[str]) -> str:
    """`text` without the secrets that a server repeats."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, HIDDEN)
    return text

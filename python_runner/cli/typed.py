"""The command as it was typed, to be kept with the run that it makes."""

from __future__ import annotations

import re
import shlex

import typer

_QUERY = re.compile(r"(https?://[^\s?]*)\?\S*")


def typed(context: typer.Context) -> str:
    """`polystack compare demo`, quoted for a shell; empty where nobody typed one.

    Without the query of a URL: that may hold a key.
    """
    words = context.find_root().obj
    if not isinstance(words, tuple):
        return ""
    return shlex.join(["polystack", *(_QUERY.sub(r"\1", str(word)) for word in words)])

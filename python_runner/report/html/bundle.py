"""What the page brings along: its own scripts and style, and Plotly's library, packed."""

from __future__ import annotations

import base64
import gzip
import hashlib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

_ASSETS = files("python_runner.report.html") / "assets"


@dataclass(frozen=True, kw_only=True)
class Library:
    """A script that the page unpacks itself."""

    packed: str
    """gzip, then base64."""
    hash: str
    """Of the unpacked text, as a content security policy wants it."""


def asset(name: str) -> str:
    """The text of a file of `assets`."""
    return (_ASSETS / name).read_text(encoding="utf-8").strip()


@lru_cache(maxsize=1)
def plotting_library() -> Library:
    """plotly.js from the Plotly package: 5 MB become 2, and the page stays one file."""
    from plotly.offline import get_plotlyjs

    text = get_plotlyjs()
    # No time inside: the same document gives the same page.
    packed = gzip.compress(text.encode(), compresslevel=9, mtime=0)
    return Library(packed=base64.b64encode(packed).decode(), hash=script_hash(text))


def script_hash(text: str) -> str:
    """By which a policy knows an inline script."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

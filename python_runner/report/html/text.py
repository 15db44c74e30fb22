"""Text into a page: nothing that a model, a stack or a file says becomes markup."""

from __future__ import annotations

import json
import re
from urllib.parse import urlsplit

from markupsafe import Markup, escape

from python_runner.report.document import Tone

_CODE = re.compile(r"`([^`]+)`")
_SCHEMES = ("", "http", "https")
_GLYPHS = {
    Tone.GOOD: ("\N{CHECK MARK}", "good"),
    Tone.BAD: ("\N{BALLOT X}", "bad"),
    Tone.UNKNOWN: ("?", "not known"),
}


def inline(text: str) -> Markup:
    """`text` with code between backquotes; everything else as it is."""
    parts = _CODE.split(text)
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if index % 2 else escape(part)
        for index, part in enumerate(parts)
    )


def address(link: str) -> str:
    """`link` if following it can only open something; empty if it could run something."""
    try:
        scheme = urlsplit(link).scheme
    except ValueError:
        return ""
    return link if scheme.lower() in _SCHEMES else ""


def glyph(tone: Tone) -> Markup:
    """A sign and a word for a tone, since colour alone says nothing; empty for plain text."""
    if tone not in _GLYPHS:
        return Markup("")
    sign, word = _GLYPHS[tone]
    return Markup('<span aria-hidden="true">{}</span><span class="unseen">{}: </span> ').format(
        sign, word
    )


def script_json(value: object) -> Markup:
    """`value` as JSON that cannot end the script element it stands in. Raises for NaN."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"), ensure_ascii=True)
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)  # noqa: S704 - the signs that could be markup are gone

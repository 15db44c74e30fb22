"""Lines of code: those that are neither blank nor only comment or documentation."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_for_filename
from pygments.lexers.special import TextLexer
from pygments.token import Comment, String, _TokenType
from pygments.util import ClassNotFound


def code_lines(text: str, name: str) -> int:
    """How many lines of `text` are code, read as the language that the file's name tells.

    Python's docstrings are documentation, and C's `#include` is code. Of a language that is
    not known every line counts that is not blank.
    """
    found: set[int] = set()
    number = 0
    for kind, value in _lexer(name).get_tokens(text):
        parts = value.split("\n")
        if not _is_remark(kind):
            found.update(number + at for at, part in enumerate(parts) if part.strip())
        number += len(parts) - 1
    return len(found)


def own_files(root: Path, patterns: Iterable[str]) -> tuple[Path, ...]:
    """The files that the globs name, each once; tests are left out."""
    files = {path for pattern in patterns for path in root.glob(pattern) if path.is_file()}
    return tuple(sorted(path for path in files if not path.stem.endswith("_test")))


def lines_of(files: Iterable[Path]) -> int:
    """Lines of code in all of them."""
    return sum(code_lines(path.read_text(encoding="utf-8"), path.name) for path in files)


def _is_remark(kind: _TokenType) -> bool:
    is_directive = kind in Comment.Preproc or kind in Comment.PreprocFile
    return kind in String.Doc or (kind in Comment and not is_directive)


def _lexer(name: str) -> Lexer:
    # Leading blank lines have to stay, or the numbers would not be those of the file.
    options = {"stripnl": False, "ensurenl": False}
    try:
        return get_lexer_for_filename(name, **options)
    except ClassNotFound:
        return TextLexer(**options)

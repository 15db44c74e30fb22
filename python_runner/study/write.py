"""A study as TOML, as it could have been written by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any


def study_toml(study: Mapping[str, Any]) -> str:
    """`study` (its fields, as `Study.model_dump` gives them) as the text of a study file.

    What is None or empty is left out: the file's default is the same. Read back, it is the same
    study.
    """
    return "\n".join(_table((), study)).strip() + "\n"


def _table(path: Sequence[str], table: Mapping[str, Any]) -> Iterator[str]:
    """Values first: in TOML what stands after a heading belongs to it."""
    known = {key: value for key, value in table.items() if value not in (None, [], (), {})}
    for key, value in known.items():
        if not isinstance(value, Mapping) and not _is_tables(value):
            yield f"{_key(key)} = {_value(value)}"
    for key, value in known.items():
        inner = (*path, key)
        if isinstance(value, Mapping):
            yield from ("", f"[{'.'.join(map(_key, inner))}]", *_table(inner, value))
        elif _is_tables(value):
            for each in value:
                yield from ("", f"[[{'.'.join(map(_key, inner))}]]", *_table(inner, each))


def _is_tables(value: object) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(each, Mapping) for each in value)


def _key(key: str) -> str:
    return key if key.replace("-", "").replace("_", "").isalnum() and key.isascii() else _text(key)


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(_value(each) for each in value)}]"
    return repr(value)


def _text(text: str) -> str:
    # JSON's escapes are TOML's, but for DEL, which JSON leaves as it is.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")

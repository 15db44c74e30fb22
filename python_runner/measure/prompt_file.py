"""Prompts of a user's, from a file: lines of text, JSONL, or an array as ShareGPT has it.

- text: a prompt each line.
- `.jsonl`, `.ndjson`: a value each line. `.json`: an array of values.
- A value is a string, an object with `prompt` or `text`, or a conversation (`conversations`, a
  list of turns with `from` and `value`), of which the first turn of the human's is asked.

ShareGPT has conversations in which no human says anything. They are left out and counted; what
has none of these shapes is an error, with the line or entry where it stands.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, takewhile
from pathlib import Path

from python_runner.common.errors import StudyError, UsageError
from python_runner.measure.plan import Prompt

MOST_BYTES = 1_000_000_000
"""Of a file: JSON takes several times that in memory."""
MOST_CHARACTERS = 1_000_000
"""Of a prompt: more than any model reads, and soon told."""

_KEYS = ("prompt", "text")
_TURNS = "conversations"
_HUMANS = frozenset({"human", "user"})
_SHAPES = (
    'A value is "a text", {"prompt": "…"}, {"text": "…"}, or '
    '{"conversations": [{"from": "human", "value": "…"}]}.'
)
_SHOWN = 40


@dataclass(frozen=True, kw_only=True)
class PromptFile:
    """What a file asks."""

    path: Path
    texts: tuple[str, ...]
    """In its order; none is empty."""
    places: tuple[str, ...]
    """Where each stands: `line 3`, `entry 3`."""
    left_out: int
    """Conversations without a turn of the human's."""


def read_prompt_file(path: Path, *, most: int | None = None) -> PromptFile:
    """The prompts of a file; by its suffix it is text, JSONL or a JSON array.

    Args:
        path: the file.
        most: so many are taken at most, from its beginning; None: all.

    Raises:
        UsageError: it cannot be read, is too large, holds none, or holds what is no prompt.
    """
    content = _read(path)
    texts, places, left_out = [], [], 0
    for place, text in _entries(path, content):
        if text is None:
            left_out += 1
            continue
        _check_text(text, f"{path}, {place}")
        texts.append(text)
        places.append(place)
        if most is not None and len(texts) >= most:
            break
    if not texts:
        what = f"none of its {left_out} conversations has a human in it" if left_out else "is empty"
        raise UsageError(f"prompts: {path}: {what}", hint=f"Write a prompt each line. {_SHAPES}")
    return PromptFile(path=path, texts=tuple(texts), places=tuple(places), left_out=left_out)


def _read(path: Path) -> str:
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise UsageError(
                f"prompts: {path} has {size / 1e9:.1f} GB, and at most {MOST_BYTES / 1e9:g} GB "
                "are read",
                hint="Give a part of it: a study asks some dozens of prompts.",
            )
        # Editors on Windows begin a file with a mark of its encoding, which is no text.
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise UsageError(f"prompts: {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"prompts: {path} is no text in UTF-8: {error}") from error


def _entries(path: Path, content: str) -> Iterator[tuple[str, str | None]]:
    """Each place and the text there; None: a conversation in which no human asks."""
    suffix = path.suffix.lower()
    if suffix == ".json":
        for number, value in enumerate(_array(path, content), 1):
            place = f"entry {number}"
            yield place, _text_of(value, f"{path}, {place}")
        return
    is_json = suffix in {".jsonl", ".ndjson"}
    # Not `splitlines`: JSON's strings may hold what Unicode calls a separator of lines.
    for number, line in enumerate(content.split("\n"), 1):
        place = f"line {number}"
        if not line.strip():
            continue
        if is_json:
            where = f"{path}, {place}"
            yield place, _text_of(_json(line, where), where)
        else:
            yield place, line.strip()


def _array(path: Path, content: str) -> list[object]:
    try:
        values = _json(content, str(path))
    except UsageError as error:
        raise UsageError(
            error.message, hint="A file with a value on each line is JSONL: call it .jsonl."
        ) from error
    if not isinstance(values, list):
        raise UsageError(f"prompts: {path} is no array", hint=f"Write [ … ]. {_SHAPES}")
    return values


def _json(text: str, where: str) -> object:
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"prompts: {where} is no JSON: {error}") from error
    return value


def _text_of(value: object, where: str) -> str | None:
    """The prompt in `value`; None for a conversation without a human. Raises UsageError."""
    if isinstance(value, str) and value.strip():
        return value
    if isinstance(value, dict):
        for key in _KEYS:
            found = value.get(key)
            if isinstance(found, str) and found.strip():
                return found
        if isinstance(value.get(_TURNS), list):
            return _first_of_human(value[_TURNS], where)
    raise UsageError(f"prompts: {where} has no text", hint=_SHAPES)


def _first_of_human(turns: Sequence[object], where: str) -> str | None:
    for number, turn in enumerate(turns, 1):
        if not isinstance(turn, dict) or not isinstance(turn.get("from"), str):
            raise UsageError(
                f"prompts: {where}: turn {number} does not say who speaks", hint=_SHAPES
            )
        if turn["from"] not in _HUMANS:
            continue
        text = turn.get("value")
        if not isinstance(text, str):
            raise UsageError(f"prompts: {where}: turn {number} has no text", hint=_SHAPES)
        if text.strip():
            return text
    return None


def _check_text(text: str, where: str) -> None:
    """Raise UsageError for what engines could not be given."""
    if len(text) > MOST_CHARACTERS:
        raise UsageError(
            f"prompts: {where} has {len(text):,} characters, and at most {MOST_CHARACTERS:,} are "
            "taken"
        )
    if "\0" in text:
        raise UsageError(
            f"prompts: {where} holds a character NUL, at which some engines would end the text"
        )
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise UsageError(f"prompts: {where} holds half a character: {error.reason}") from error


def check_they_fit(
    prompts: Sequence[Prompt], asked: PromptFile, *, context: int, new_tokens: int
) -> None:
    """Raise StudyError for the first prompt that does not fit, and say how many do not.

    Args:
        prompts: those of `asked`, in its order, with their tokens.
        asked: where they come from.
        context: tokens that prompt and answer may have.
        new_tokens: the most tokens of an answer.
    """
    too_long = [
        (place, prompt)
        for place, prompt in zip(asked.places, prompts, strict=True)
        if len(prompt.ids) + new_tokens > context
    ]
    if not too_long:
        return
    place, first = too_long[0]
    longest = max(len(prompt.ids) for _, prompt in too_long)
    more = f"; {len(too_long)} of {len(prompts)} do not fit" if len(too_long) > 1 else ""
    raise StudyError(
        f"prompts: {asked.path}, {place} ({first.text.strip()[:_SHOWN]!r}) has {len(first.ids)} "
        f"tokens, which with {new_tokens} new ones is more than the context of {context}{more}",
        hint=f"All fit with --context {longest + new_tokens}; or ask for fewer --new-tokens, or "
        "leave them out.",
    )


def shared_with_the_one_before(prompts: Sequence[Prompt]) -> int:
    """The most tokens with which a prompt begins like the one before it, BOS not counted.

    So much a prompt cache saves at most, of prompts that are asked in this order.
    """
    alike = (_alike(one.ids, other.ids) - 1 for one, other in pairwise(prompts))
    return max(0, max(alike, default=0))


def _alike(one: tuple[int, ...], other: tuple[int, ...]) -> int:
    both = zip(one, other, strict=False)
    return sum(1 for _ in takewhile(lambda ids: ids[0] == ids[1], both))

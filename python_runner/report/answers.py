"""What is said of the answers, in words: below tables and pictures, and in the table of answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from python_runner.analyse.answers import AnswerVerdict

STRUCK = "struck out"
_ARITHMETIC = "With random weights that is agreement about arithmetic only."


def struck_of(row: Mapping[Any, Any]) -> str:
    """Why the speed of a stack does not count; empty if it does, or if nobody has looked."""
    found = row.get("struck")
    return found if isinstance(found, str) else ""


def struck_note(row: Mapping[Any, Any]) -> str:
    """The reason as a sentence."""
    return f"{row['title']} is {STRUCK}, because its answers are wrong: {struck_of(row)}."


def answers_line(conditions: pd.DataFrame, *, is_synthetic: bool) -> str:
    """How the answers of one run compare with the reference; empty if nobody has looked."""
    if "answers" not in conditions:
        return ""
    rows = [
        (row["title"], row["answers"])
        for row in conditions.to_dict(orient="records")
        if isinstance(row["answers"], Mapping)
    ]
    if not rows:
        return ""
    compared = [(title, found) for title, found in rows if found["tokens"]]
    parts = [f"{title} {_tokens(found)}" for title, found in compared]
    not_compared = [
        (title, found)
        for title, found in rows
        if found["verdict"] == AnswerVerdict.NOT_COMPARED.value
    ]
    lines = []
    if parts:
        reference = compared[0][1]["reference"]
        text = f"Answers, token by token as {reference} in bf16 sees them: {'; '.join(parts)}."
        lines.append(f"{text} {_ARITHMETIC}" if is_synthetic else text)
    lines += _left_out(not_compared)
    return " ".join(lines)


def _left_out(rows: Iterable[tuple[str, Mapping[str, Any]]]) -> list[str]:
    by_reason: dict[str, list[str]] = {}
    for title, found in rows:
        by_reason.setdefault(str(found["reason"]), []).append(title)
    return [
        f"Answers not compared ({', '.join(titles)}): {reason}."
        for reason, titles in by_reason.items()
    ]


def _tokens(found: Mapping[str, Any]) -> str:
    best = f"{found['best_tokens']} of {found['tokens']} best"
    near = int(found["near_ties"])
    if not near:
        return best
    return f"{best}, {near} near-tie{'' if near == 1 else 's'}"

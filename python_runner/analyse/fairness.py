"""What was equal in a run, what was not, and what nobody knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from python_runner.measure.fairness import Facts, compare_facts, findings_of

_TABLE = ["key", "criterion", "blocks", "equality", "holders", "unknown"]
_PAIRS = ["run_id", "key", "criterion", "blocks", "left", "right", "equality"]
_PAIRS += ["left_fact", "right_fact"]


def fairness_table(conditions: pd.DataFrame) -> pd.DataFrame:
    """One row for each criterion: what the stacks of one run have, all together.

    Returns:
        In the order of the table of criteria, and empty where fewer than two stacks were
        looked at:

        - key, criterion: as `--allow-unfair` takes it, and in words.
        - blocks: whether a difference stops a run.
        - equality: `equal`, `different` (at least one pair is) or `unknown`.
        - holders: fact to a tuple of the titles of the stacks for which it holds.
        - unknown: a tuple of the titles of those that do not say.
    """
    rows = [
        {
            "key": finding.criterion.key,
            "criterion": finding.criterion.title,
            "blocks": finding.criterion.blocks,
            "equality": finding.equality.value,
            "holders": dict(finding.holders),
            "unknown": finding.unknown,
        }
        for finding in findings_of(_facts(conditions, "title"))
    ]
    return pd.DataFrame(rows, columns=_TABLE)


def fairness_pairs(conditions: pd.DataFrame) -> pd.DataFrame:
    """One row for each criterion and each pair of stacks of a run.

    Returns:
        run_id; key, criterion, blocks as in `fairness_table`; left, right: names of the stacks;
        equality of the two; left_fact, right_fact: None where it is not known.
    """
    rows = [
        {
            "run_id": int(str(run_id)),
            "key": pair.criterion.key,
            "criterion": pair.criterion.title,
            "blocks": pair.criterion.blocks,
            "left": pair.left,
            "right": pair.right,
            "equality": pair.equality.value,
            "left_fact": pair.left_fact,
            "right_fact": pair.right_fact,
        }
        for run_id, mine in conditions.groupby("run_id", sort=False)
        for pair in compare_facts(_facts(mine, "stack"))
    ]
    return pd.DataFrame(rows, columns=_PAIRS)


def marks(conditions: pd.DataFrame, run: Mapping[Any, Any]) -> dict[str, str]:
    """What must stand beside every figure of a run: key of what was allowed to sentence.

    Args:
        conditions: one row for each stack of the run.
        run: its row.
    """
    allowed = run.get("allowed_unfair") or ()
    found = {finding.criterion.key: finding for finding in findings_of(_facts(conditions, "title"))}
    return {
        key: f"Not equal, and allowed to be ({key}). {_begin_large(found[key].criterion.title)}: "
        f"{found[key].in_words()}."
        for key in allowed
        if key in found
    }


def _facts(conditions: pd.DataFrame, name: str) -> dict[str, Facts]:
    """The facts of each stack that was looked at, by the column `name`."""
    return {
        str(row[name]): row["facts"]
        for row in conditions.to_dict(orient="records")
        if row.get("facts")
    }


def _begin_large(text: str) -> str:
    return text[:1].upper() + text[1:]

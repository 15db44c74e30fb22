"""Which of its language's variants a stack is, so that pictures can tell them apart."""

from __future__ import annotations

import pandas as pd

from python_runner.common.variants import knobs_of


def variant_numbers(stacks: pd.DataFrame) -> list[int]:
    """For each row: 0 for a plain stack, 1 for the first variant of its language, then 2, 3, 4.

    Args:
        stacks: with `stack`, `language` and `condition_id`, in whose order variants are counted.
    """
    numbers: dict[int, int] = {}
    seen: dict[str, int] = {}
    firsts = stacks.drop_duplicates("condition_id").sort_values("condition_id")
    for row in firsts.to_dict(orient="records"):
        is_variant = bool(knobs_of(str(row["stack"])))
        language = str(row["language"])
        seen[language] = seen.get(language, 0) + is_variant
        numbers[row["condition_id"]] = seen[language] if is_variant else 0
    return [numbers[identity] for identity in stacks["condition_id"]]

"""What each ablation of a run shows: the effect of one change, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from python_runner.analyse.compare import compare_pairs
from python_runner.analyse.latency import NAN

_ASKED = ("key", "question", "change", "metric", "if_equal", "if_not")
_SIDES = tuple(f"{name}_{side}" for name in ("stack", "title") for side in ("left", "right"))
_FIGURES = (
    *("n_left", "n_right", "median_left", "median_right", "blocks"),
    *("ratio", "ratio_low", "ratio_high", "p_holm", "noise_floor", "floor_source"),
    *("verdict", "reason"),
)
COLUMNS = (*_ASKED, *_SIDES, *_FIGURES, "effect", "effect_low", "effect_high", "lack")


def ablation_effects(
    samples: pd.DataFrame, conditions: pd.DataFrame, ablations: Sequence[Mapping[str, Any]]
) -> pd.DataFrame:
    """Compare the two stacks of each ablation; those of one metric are one family.

    Args:
        samples: one row for each request of a run.
        conditions: one row for each of its stacks.
        ablations: with the fields of `study.ablations.Ablation`.

    Returns:
        One row for each ablation, in their order. Its own fields, `compare_pairs`' figures (left:
        the stack that is changed), and:

        - effect: ratio - 1, so -0.1 where the change saves a tenth; effect_low, effect_high: its
          interval.
        - lack: why there is no effect, or "". A stack that ended early is named there too if no
          request of it was complete.
    """
    known = {str(row["stack"]): row for row in conditions.to_dict(orient="records")}
    results: dict[int, dict[str, Any]] = {}
    for metric in dict.fromkeys(str(each["metric"]) for each in ablations):
        mine = {
            place: (
                int(known[each["left"]]["condition_id"]),
                int(known[each["right"]]["condition_id"]),
            )
            for place, each in enumerate(ablations)
            if each["metric"] == metric and {each["left"], each["right"]} <= known.keys()
        }
        compared = compare_pairs(samples, conditions, list(mine.values()), metric=metric)
        rows = compared.to_dict(orient="records")
        results |= {
            place: {str(name): value for name, value in row.items()}
            for place, row in zip(mine, rows, strict=True)
        }
    described = [_row(each, results.get(place), known) for place, each in enumerate(ablations)]
    return pd.DataFrame(described, columns=list(COLUMNS))


def _row(
    asked: Mapping[str, Any],
    figures: Mapping[str, Any] | None,
    known: Mapping[str, Mapping[Any, Any]],
) -> dict[str, Any]:
    sides = {"left": str(asked["left"]), "right": str(asked["right"])}
    row = {
        **{name: asked.get(name, "") for name in _ASKED},
        **{f"stack_{side}": stack for side, stack in sides.items()},
        **{
            f"title_{side}": known.get(stack, {}).get("title", stack)
            for side, stack in sides.items()
        },
        **{name: figures[name] if figures else NAN for name in _FIGURES},
        "lack": "; ".join(
            lack
            for side, stack in sides.items()
            if (lack := _lack(stack, known.get(stack), figures[f"n_{side}"] if figures else None))
        ),
    }
    ratios = (row["ratio"], row["ratio_low"], row["ratio_high"])
    names = ("effect", "effect_low", "effect_high")
    return row | {name: ratio - 1 for name, ratio in zip(names, ratios, strict=True)}


def _lack(stack: str, condition: Mapping[Any, Any] | None, complete: int | None) -> str:
    """Why a stack has no figure; empty if it has."""
    if condition is None:
        return f"{stack} was not measured"
    if complete != 0:
        return ""  # it has, or was not looked at because the other is missing
    return f"{condition['title']} gave no result" + (
        f": {condition['error']}" if condition["error"] else ""
    )

"""What each ablation of a run shows: the effect of one change, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from python_runner.analyse.compare import compare_pairs
from python_runner.analyse.latency import NAN
from python_runner.analyse.struck import struck_out

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
        - lack: why there is no effect, or "": a stack was not measured, or is struck out, or (if
          it ended early, too) no request of it was complete.
    """
    struck = struck_out(conditions)
    known = {str(row["stack"]): row for row in conditions.to_dict(orient="records")}
    results: dict[int, dict[str, Any]] = {}
    for metric in dict.fromkeys(str(each["metric"]) for each in ablations):
        mine = {
            place: (
                int(known[each["left"]]["condition_id"]),
                int(known[each["right"]]["condition_id"]),
            )
            for place, each in enumerate(ablations)
            if each["metric"] == metric and _can_be_compared(each, known, struck)
        }
        compared = compare_pairs(samples, conditions, list(mine.values()), metric=metric)
        rows = compared.to_dict(orient="records")
        results |= {
            place: {str(name): value for name, value in row.items()}
            for place, row in zip(mine, rows, strict=True)
        }
    known = {
        name: {**row, "struck": struck.get(int(row["condition_id"]), "")}
        for name, row in known.items()
    }
    described = [_row(each, results.get(place), known) for place, each in enumerate(ablations)]
    return pd.DataFrame(described, columns=list(COLUMNS))


def _can_be_compared(
    asked: Mapping[str, Any], known: Mapping[str, Mapping[Any, Any]], struck: Mapping[int, str]
) -> bool:
    sides = {asked["left"], asked["right"]}
    return sides <= known.keys() and not any(
        int(known[side]["condition_id"]) in struck for side in sides
    )


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
    if condition["struck"]:
        return f"{condition['title']} is struck out, its answers are wrong: {condition['struck']}"
    if complete != 0:
        return ""  # it has, or was not looked at because the other is missing
    return f"{condition['title']} gave no result" + (
        f": {condition['error']}" if condition["error"] else ""
    )

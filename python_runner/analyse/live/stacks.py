"""The stacks of a comparison while it goes on."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import pandas as pd

from python_runner.analyse.latency import NAN, Outcome

FIGURES = ("e2e_ms", "ttft_ms", "tpot_ms", "decode_tokens_per_s")
_NOTHING_KNOWN = {"language": "", "reach": "", "error": "", "loads": (), "condition_id": -1}


class StackState(StrEnum):
    """What a stack is at."""

    WAITING = "waiting"
    """Not begun, or between two visits."""
    LOADING = "loading"
    RUNNING = "running"
    DONE = "done"
    ENDED = "ended early"
    """It failed: it is not visited again."""


def live_stacks(
    steps: pd.DataFrame, conditions: pd.DataFrame, measured: pd.DataFrame
) -> pd.DataFrame:
    """One row for each stack, in the order in which they are first visited.

    Args:
        steps: as `store.follow.Followed` has them.
        conditions: of the stacks that were begun.
        measured: all samples so far, with their figures (`request_metrics`).

    Returns:
        - stack, title, language, reach (empty where it was not begun); state: a `StackState`'s
          value; error: why it ended early, else "".
        - n_timed, n_planned: timed requests that were made, and that are planned so far.
          n_warmup. n_failed: of the timed ones; failure: the last reason.
        - e2e_ms, ttft_ms, tpot_ms, decode_tokens_per_s: running medians of the timed requests,
          by the rules of `summarise`; last_e2e_ms and so on: of the last request, warm-up
          included. NaN where there is none.
    """
    begun = {row["stack"]: row for row in conditions.to_dict(orient="records")}
    names = dict.fromkeys([*steps["stack"], *begun])
    rows = []
    for name in names:
        mine = steps[steps["stack"] == name]
        known = {**_NOTHING_KNOWN, **begun.get(name, {})}
        samples = measured[measured["condition_id"] == known["condition_id"]]
        rows.append(
            {
                "stack": name,
                "title": known.get("title") or mine["title"].iloc[0],
                "language": known["language"],
                "reach": known["reach"],
                "error": known["error"],
                "state": _state(mine, known).value,
                "n_planned": int(mine["timed"].sum()),
                **_counts(samples),
                **_figures(samples),
            }
        )
    columns = ["stack", "title", "language", "reach", "error", "state", "n_planned"]
    return pd.DataFrame(
        rows, columns=[*columns, *_counts(measured.iloc[:0]), *_figures(measured.iloc[:0])]
    )


def _state(steps: pd.DataFrame, known: Mapping[Any, Any]) -> StackState:
    if known["error"]:
        return StackState.ENDED
    began, ended = int(steps["began_ns"].notna().sum()), int(steps["ended_ns"].notna().sum())
    if began > ended:
        # Each visit that is loaded adds what its load took.
        return StackState.LOADING if len(known["loads"]) < began else StackState.RUNNING
    return StackState.DONE if ended and ended == len(steps) else StackState.WAITING


def _counts(samples: pd.DataFrame) -> dict[str, object]:
    is_warmup = samples["is_warmup"].astype(bool)
    failed = samples[~is_warmup & (samples["outcome"] == Outcome.FAILED.value)]
    return {
        "n_timed": int((~is_warmup).sum()),
        "n_warmup": int(is_warmup.sum()),
        "n_failed": len(failed),
        "failure": str(failed["failure"].iloc[-1]) if len(failed) else "",
    }


def _figures(samples: pd.DataFrame) -> dict[str, float]:
    timed = samples[~samples["is_warmup"].astype(bool)]
    return {
        **{name: float(timed[name].median()) for name in FIGURES},
        **{
            f"last_{name}": float(samples[name].iloc[-1]) if len(samples) else NAN
            for name in FIGURES
        },
    }

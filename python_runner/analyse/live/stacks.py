"""The stacks of a comparison while it goes on.

Rows in and rows out, and no frames: see `store.follow`.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from python_runner.analyse.latency import NAN, Outcome

Row = Mapping[str, Any]
FIGURES = ("e2e_ms", "ttft_ms", "tpot_ms", "decode_tokens_per_s")
_UNKNOWN = {"language": "", "reach": "", "error": "", "loads": 0}


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
    steps: Sequence[Row], conditions: Sequence[Row], measured: Mapping[str, Sequence[Row]]
) -> list[dict[str, Any]]:
    """One row for each stack, in the order in which they are first visited.

    Args:
        steps: as `store.follow.Followed` has them.
        conditions: of the stacks that were begun, as there.
        measured: stack to all its samples so far, with their figures (`sample_figures`).

    Returns:
        - stack, title, language, reach (empty where it was not begun); state: a `StackState`;
          error: why it ended early, else "".
        - n_timed, n_planned: timed requests that were made, and that are planned so far.
          n_warmup. n_failed: of the timed ones; failure: the last reason.
        - e2e_ms, ttft_ms, tpot_ms, decode_tokens_per_s: running medians of the timed requests,
          by the rules of `summarise`; last_e2e_ms and so on: of the last request, warm-up
          included. NaN where there is none.
    """
    begun = {row["stack"]: row for row in conditions}
    titles = {row["stack"]: row["title"] for row in (*steps, *conditions)}
    rows = []
    for name, title in titles.items():
        mine = [step for step in steps if step["stack"] == name]
        known = begun.get(name, _UNKNOWN)
        rows.append(
            {
                "stack": name,
                "title": title,
                **{column: known[column] for column in ("language", "reach", "error")},
                "state": _state(mine, known),
                "n_planned": sum(step["timed"] or 0 for step in mine),
                **_so_far(measured.get(name, ())),
            }
        )
    return rows


def _state(steps: Sequence[Row], known: Row) -> StackState:
    if known["error"]:
        return StackState.ENDED
    began = sum(step["began_ns"] is not None for step in steps)
    ended = sum(step["ended_ns"] is not None for step in steps)
    if began > ended:
        # Each visit that is loaded adds what its load took.
        return StackState.LOADING if known["loads"] < began else StackState.RUNNING
    return StackState.DONE if ended and ended == len(steps) else StackState.WAITING


def _so_far(samples: Sequence[Row]) -> dict[str, Any]:
    timed = [sample for sample in samples if not sample["is_warmup"]]
    failed = [sample for sample in timed if sample["outcome"] == Outcome.FAILED]
    last = samples[-1] if samples else dict.fromkeys(FIGURES, NAN)
    return {
        "n_timed": len(timed),
        "n_warmup": len(samples) - len(timed),
        "n_failed": len(failed),
        "failure": failed[-1]["failure"] if failed else "",
        **{name: _median(sample[name] for sample in timed) for name in FIGURES},
        **{f"last_{name}": last[name] for name in FIGURES},
    }


def _median(values: Iterable[float]) -> float:
    """The median of those that are numbers; NaN if none is."""
    known = [value for value in values if not math.isnan(value)]
    return statistics.median(known) if known else NAN

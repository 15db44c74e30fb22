"""One row for each comparison: for the list of runs."""

from __future__ import annotations

import pandas as pd

from python_runner.analyse.latency import Outcome, request_metrics
from python_runner.analyse.lengths import uneven_runs

_COLUMNS = (
    "run_id",
    "stacks",
    "n_complete",
    "n_left_out",
    "n_without_result",
    "fastest",
    "fastest_e2e_ms",
)


def runs_overview(
    samples: pd.DataFrame, conditions: pd.DataFrame, runs: pd.DataFrame
) -> pd.DataFrame:
    """Count what each run has.

    Returns:
        One row for each run, in the order of `runs`:

        - run_id; stacks: titles, in order of measurement, separated by commas.
        - n_complete, n_left_out: timed requests that E2E figures stand on, and the others.
        - n_without_result: stacks without any complete timed request.
        - fastest, fastest_e2e_ms: title and median of the fastest stack; "" and NaN if none, and
          where their answers to one prompt have different lengths.
    """
    measured = request_metrics(samples)
    timed = measured[~measured["is_warmup"].astype(bool)]
    complete = timed[timed["outcome"] == Outcome.COMPLETE.value]
    medians = complete.groupby("condition_id")["e2e_ms"].median()
    uneven = uneven_runs(measured)
    rows = []
    for run_id in runs["run_id"]:
        mine = conditions[conditions["run_id"] == run_id].set_index("condition_id")
        known = medians[medians.index.isin(mine.index)]
        # Whoever's answers are wrong is not the fastest.
        struck = mine[mine["struck"] != ""].index if "struck" in mine else []
        counted = known.drop(struck, errors="ignore")
        counted = counted.iloc[:0] if run_id in uneven else counted
        n_complete = int((complete["run_id"] == run_id).sum())
        rows.append(
            {
                "run_id": int(run_id),
                "stacks": ", ".join(mine["title"]),
                "n_complete": n_complete,
                "n_left_out": int((timed["run_id"] == run_id).sum()) - n_complete,
                "n_without_result": len(mine) - len(known),
                "fastest": str(mine.loc[counted.idxmin(), "title"]) if len(counted) else "",
                "fastest_e2e_ms": float(counted.min()),
            }
        )
    return pd.DataFrame(rows, columns=list(_COLUMNS))

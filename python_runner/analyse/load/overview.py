"""One row for each run of a load: for the list of runs."""

from __future__ import annotations

import pandas as pd

_COLUMNS = ("run_id", "stacks", "n_complete", "n_left_out", "n_without_result", "users", "rates")


def loads_overview(
    requests: pd.DataFrame, levels: pd.DataFrame, conditions: pd.DataFrame, runs: pd.DataFrame
) -> pd.DataFrame:
    """Count what each load has, without a look at its stamps.

    Args:
        requests: one row for each request; its place and its `error_kind` are enough.
        levels: one row for each level.
        conditions: one row for each stack of a run.
        runs: one row for each run, loads only.

    Returns:
        One row for each run, in the order of `runs`:

        - run_id; stacks: titles, in order of measurement, separated by commas.
        - n_complete, n_left_out: requests without and with an error.
        - n_without_result: stacks without any request that had no error.
        - users, rates: the different ones, in order, as tuples.
    """
    rows = []
    for run_id in runs["run_id"]:
        mine = conditions[conditions["run_id"] == run_id]
        asked = requests[requests["run_id"] == run_id]
        answered = asked[asked["error_kind"] == ""]
        steps = levels[levels["run_id"] == run_id]
        rows.append(
            {
                "run_id": int(run_id),
                "stacks": ", ".join(mine["title"]),
                "n_complete": len(answered),
                "n_left_out": len(asked) - len(answered),
                "n_without_result": len(mine) - answered["condition_id"].nunique(),
                "users": tuple(int(users) for users in steps["users"].dropna().unique()),
                "rates": tuple(float(rate) for rate in steps["rate"].dropna().unique()),
            }
        )
    return pd.DataFrame(rows, columns=list(_COLUMNS))

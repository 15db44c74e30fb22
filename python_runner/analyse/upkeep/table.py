"""All that is known of what stacks cost to own, in one table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

import pandas as pd

from python_runner.analyse.upkeep.of_runs import Runs
from python_runner.analyse.upkeep.row import UNITS as RUN_UNITS
from python_runner.engines.upkeep.fact import UNITS as FILE_UNITS
from python_runner.engines.upkeep.fact import Fact
from python_runner.store import Frames

COLUMNS = (
    *("stack", "title", "language", "reach", "figure", "value", "unit", "low", "high"),
    *("source", "run_id", "why_unknown"),
)
_STACK = ("stack", "title", "language", "reach")
_UNITS = {**FILE_UNITS, **RUN_UNITS}
_AT = "@"


def upkeep(frames: Frames, facts: Iterable[Fact], *, model: str | None = None) -> pd.DataFrame:
    """One row for each stack and figure; a figure that is not known keeps its row.

    Args:
        frames: stored runs. Of each stack the last one counts that has the figure.
        facts: what files tell (`engines.upkeep.facts_of`); they say which stacks there are,
            and in which order.
        model: name of the model whose runs count; None: that of the last run in `frames`.

    Returns:
        stack, title, language, reach; figure: cold_start_s, build_s, deployed_bytes,
        dependencies, own_lines, recovery_s, peak_memory_bytes, energy_j_per_token, and for each
        level of users tgr_tokens_per_s@N and ttft_p95_ms@N, or throughput_users where there is
        none; value (NaN: not known) and unit; low, high: 95 % interval, or of fewer than six
        values the smallest and the largest, NaN where there is neither; source: the file, run
        or command that it comes from; run_id: NaN if it comes from no run; why_unknown: "" if it
        is known.
    """
    known = list(facts)
    runs = Runs(frames, model if model is not None else last_model(frames))
    rows: list[dict[str, object]] = []
    for stack in dict.fromkeys(fact.stack for fact in known):
        mine = [fact for fact in known if fact.stack == stack]
        identity = {name: getattr(mine[0], name) for name in _STACK}
        rows += [asdict(fact) for fact in mine]
        rows += [{**identity, **row.as_dict()} for row in runs.rows_of(stack)]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    numbers = dict.fromkeys(("value", "low", "high", "run_id"), "float64")
    return table.assign(unit=[_UNITS[figure_base(name)] for name in table["figure"]]).astype(
        numbers
    )


def last_model(frames: Frames) -> str:
    """The model of the last run, or else of the last crash; "" if there is neither."""
    for rows in (frames.conditions, frames.recoveries):
        if len(rows):
            return str(rows.sort_values("run_id", kind="stable")["model"].iloc[-1])
    return ""


def figure_base(figure: str) -> str:
    """`tgr_tokens_per_s` of `tgr_tokens_per_s@10`."""
    return figure.partition(_AT)[0]


def users_of(figure: str) -> int | None:
    """10 of `tgr_tokens_per_s@10`; None where no number of users is named."""
    users = figure.partition(_AT)[2]
    return int(users) if users else None

"""The rows of a load over users: TTFT and tokens a second for each level of each stack."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from python_runner.analyse.published.ours import OurRow, known, said_of
from python_runner.analyse.published.part import PartRun


def users_rows(run: PartRun) -> Iterator[OurRow]:
    """A row for each level of each stack; one for a stack without any.

    Figures: `users`, `ttft_ms` (median) and `ttft_p99_ms`, `tgr` (output tokens/s over all
    users), `tpot_ms` (median), `e2e_ms` (median), `requests` (that figures stand on).
    """
    for condition in run.conditions:
        said = said_of(condition, run)
        levels = run.levels[run.levels["condition_id"] == condition["condition_id"]]
        for level in levels.to_dict(orient="records"):
            yield OurRow(
                stack=str(condition["stack"]),
                values=said | _figures(level),
                lack=lack_of(level),
            )
        if levels.empty:
            yield OurRow(
                stack=str(condition["stack"]), values=said, lack=str(condition["error"])
            )


def _figures(level: Mapping[Any, Any]) -> dict[str, Any]:
    return known(
        users=int(level["users"]),
        requests=int(level["n"]),
        ttft_ms=level["ttft_p50_ms"],
        ttft_p99_ms=level["ttft_p99_ms"],
        tpot_ms=level["tpot_p50_ms"],
        e2e_ms=level["e2e_p50_ms"],
        tgr=level["tokens_per_s"],
    )


def lack_of(level: Mapping[Any, Any]) -> str:
    """What a reader has to know of a level's figures; empty: nothing."""
    parts = [str(level["error"])]
    if level["n_failed"]:
        parts.append(f"{level['n_failed']} of {level['n_requests']} requests failed")
    if level["n_early_stops"]:
        parts.append(f"{level['n_early_stops']} answers ended early")
    if level["lack"]:
        parts.append(f"not steady: {level['lack']}")
    return "; ".join(part for part in parts if part)

"""The rows of long sequences: tokens a second in total and of one request, TTFT, E2E."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from python_runner.analyse.published.ours import OurRow, known, said_of
from python_runner.analyse.published.part import PartRun
from python_runner.analyse.published.users import lack_of
from python_runner.common.clock import NS_PER_S


def long_sequences_rows(run: PartRun) -> Iterator[OurRow]:
    """A row for each level of each stack; one for a stack without any.

    Figures: `concurrent` (requests at once), `total_tokens_per_s` (all output tokens over the
    time from the first request to the end of the last answer, as the original counts them),
    `request_tokens_per_s` (median of 1000 / TPOT), `ttft_ms`, `e2e_ms` (medians), `requests`.
    """
    for condition in run.conditions:
        said = said_of(condition, run)
        levels = run.levels[run.levels["condition_id"] == condition["condition_id"]]
        for level in levels.to_dict(orient="records"):
            yield OurRow(
                stack=str(condition["stack"]),
                values=said | _figures(level, run),
                lack="; ".join(
                    dict.fromkeys(part for part in (lack_of(level), condition["error"]) if part)
                ),
            )
        if levels.empty:
            yield OurRow(
                stack=str(condition["stack"]), values=said, lack=str(condition["error"])
            )


def _figures(level: Mapping[Any, Any], run: PartRun) -> dict[str, Any]:
    tpot = level["tpot_p50_ms"]
    return known(
        concurrent=int(level["users"]),
        requests=int(level["n"]),
        total_tokens_per_s=_total(level, run),
        request_tokens_per_s=1000 / tpot if tpot and tpot == tpot else None,
        ttft_ms=level["ttft_p50_ms"],
        e2e_ms=level["e2e_p50_ms"],
    )


def _total(level: Mapping[Any, Any], run: PartRun) -> float | None:
    asked = run.frames.load_requests
    mine = asked[(asked["level_id"] == level["level_id"]) & (asked["error_kind"] == "")]
    if mine.empty or (mine["output_tokens"] < 0).any():
        return None
    seconds = (mine["ended_ns"].max() - mine["scheduled_ns"].min()) / NS_PER_S
    return float(mine["output_tokens"].sum()) / seconds if seconds > 0 else None

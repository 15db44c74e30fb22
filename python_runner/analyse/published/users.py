"""The rows of a load over users: TTFT and tokens a second for each level of each stack."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from python_runner.analyse.published.levels import came_at_once, level_rows
from python_runner.analyse.published.ours import OurRow, known
from python_runner.analyse.published.part import PartRun
from python_runner.study.published import Value


def users_rows(run: PartRun) -> Iterator[OurRow]:
    """A row for each level of each stack; one for a stack without any.

    Figures: `users`, `ttft_ms` (median) and `ttft_p99_ms`, `tgr` (output tokens/s over all
    users), `tpot_ms`, `e2e_ms` (medians), `requests` (that figures stand on).
    """
    return level_rows(run, _figures, steady=True)


def _figures(level: Mapping[Any, Any]) -> dict[str, Value]:
    return known(
        users=int(level["users"]),
        requests=int(level["n"]),
        ttft_ms=level["ttft_p50_ms"],
        ttft_p99_ms=level["ttft_p99_ms"],
        tpot_ms=None if came_at_once(level) else level["tpot_p50_ms"],
        e2e_ms=level["e2e_p50_ms"],
        tgr=level["tokens_per_s"],
    )

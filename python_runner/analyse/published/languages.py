"""The rows of one request at a time: the latency of each stack."""

from __future__ import annotations

from collections.abc import Iterator

from python_runner.analyse.published.ours import OurRow, known, said_of
from python_runner.analyse.published.part import PartRun


def languages_rows(run: PartRun) -> Iterator[OurRow]:
    """A row for each stack, in the order in which they ran.

    Figures: `language`, `e2e_ms` (median), `e2e_min_ms`, `e2e_max_ms`, `ttft_ms`, `tpot_ms`
    (medians), `iterations` (complete ones, which the figures stand on).
    """
    rows = {row["condition_id"]: row for row in run.summary.to_dict(orient="records")}
    for condition in run.conditions:
        found = rows[condition["condition_id"]]
        figures = {
            name: found[name]
            for name in ("e2e_ms", "e2e_min_ms", "e2e_max_ms", "ttft_ms", "tpot_ms")
        }
        yield OurRow(
            stack=str(condition["stack"]),
            values=said_of(condition, run)
            | known(
                language=condition["language"],
                iterations=int(found["n"]),
                **figures,
            ),
            lack=str(condition["error"]),
        )

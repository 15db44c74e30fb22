"""What requests took from the machine, for each token and each stack."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from python_runner.analyse.latency import NAN, Outcome, request_metrics

PER_TOKEN = (
    "cpu_s",
    "user_cpu_s",
    "system_cpu_s",
    "minor_page_faults",
    "major_page_faults",
    "voluntary_switches",
    "involuntary_switches",
    "energy_j",
)
"""Counters of `measure.resources` that grow with the work."""
LEVELS = ("resident_bytes", "peak_resident_bytes")


def resources_per_stack(samples: pd.DataFrame) -> pd.DataFrame:
    """Medians over the complete timed requests of each stack.

    Args:
        samples: one row for each request, as `store` reads them.

    Returns:
        One row for each condition that has such requests, in their order: condition_id; n; each
        of `PER_TOKEN`, over the number of output tokens; `LEVELS` as they are; cpu_per_s: CPU
        seconds of a request over its E2E latency, in cores. NaN where nothing was read.
    """
    measured = request_metrics(samples)
    is_complete = measured["outcome"] == Outcome.COMPLETE.value
    timed = measured[is_complete & ~measured["is_warmup"].astype(bool)]
    columns = ["condition_id", *PER_TOKEN, *LEVELS, "cpu_per_s"]
    rows = [_of_request(sample) for sample in timed.to_dict(orient="records")]
    frame = pd.DataFrame(rows, columns=columns)
    grouped = frame.groupby("condition_id", sort=False)
    counts = grouped.size().rename("n")
    return grouped.median().join(counts).reset_index()


def _of_request(sample: Mapping[Any, Any]) -> dict[str, float]:
    used: Mapping[str, float] = sample["resources"] or {}
    tokens = int(sample["output_tokens"])
    e2e_s = float(sample["e2e_ms"]) / 1000
    return {
        "condition_id": sample["condition_id"],
        **{name: used.get(name, NAN) / tokens for name in PER_TOKEN},
        **{name: used.get(name, NAN) for name in LEVELS},
        "cpu_per_s": used.get("cpu_s", NAN) / e2e_s if e2e_s > 0 else NAN,
    }

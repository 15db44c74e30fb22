"""A figure of a stack in the table of upkeep."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from python_runner.analyse.latency import NAN

COLD_START = "cold_start_s"
RECOVERY = "recovery_s"
PEAK_MEMORY = "peak_memory_bytes"
THROUGHPUT = "throughput_users"
"""Stands for `TOKENS@N` and `TTFT@N` where a stack has no level."""
TOKENS = "tgr_tokens_per_s"
TTFT = "ttft_p95_ms"
ENERGY = "energy_j_per_token"
UNITS = {
    COLD_START: "s",
    RECOVERY: "s",
    PEAK_MEMORY: "bytes",
    THROUGHPUT: "tokens/s",
    TOKENS: "tokens/s",
    TTFT: "ms",
    ENERGY: "J/token",
}


@dataclass(frozen=True, kw_only=True)
class Row:
    """One figure, or why there is none."""

    figure: str
    value: float = NAN
    low: float = NAN
    high: float = NAN
    source: str = ""
    run_id: float = NAN
    why_unknown: str = ""

    def as_dict(self) -> dict[str, object]:
        """Its fields by name."""
        return asdict(self)

"""What our client has to reach, in terms of the floor in the same run."""

from __future__ import annotations

from python_runner.run.client_bench.figures import ClientFigures

_FEW_STREAMS = 32
_MOST_MEDIAN_MS = 0.3
_MOST_P99_MS = 10.0
_MOST_P99_FEW_MS = 1.0
_MOST_ITL_MS = 2.0
_MOST_CPU = 1.7
_LEAST_RATE = 0.98


def missed(streams: int, ours: ClientFigures, floor: ClientFigures) -> tuple[str, ...]:
    """What `ours` misses, in words; empty: everything is reached."""
    few = streams <= _FEW_STREAMS
    p99_bound = floor.ttft_p99_ms + _MOST_P99_FEW_MS if few else _MOST_P99_MS
    checks = (
        (ours.ttft_p50_ms - floor.ttft_p50_ms <= _MOST_MEDIAN_MS, "TTFT p50"),
        (ours.ttft_p99_ms <= p99_bound, "TTFT p99"),
        (ours.itl_p99_ms - floor.itl_p99_ms <= _MOST_ITL_MS, "ITL p99"),
        (
            ours.cpu_s_per_1000_events <= _MOST_CPU * floor.cpu_s_per_1000_events,
            "CPU per event",
        ),
        (ours.rate_share >= _LEAST_RATE, "rate"),
    )
    return tuple(name for is_met, name in checks if not is_met)

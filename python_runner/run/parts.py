"""Native parts that belong to no engine: they too are built, and not cleaned away."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from python_runner.common.progress import Progress
from python_runner.engines.served.truth import prepare_truth_server
from python_runner.run.client_bench.programs import floor_program

PARTS: Mapping[str, Callable[[Progress], object]] = {
    "truth server": prepare_truth_server,
    "floor": floor_program,
}
"""Name to what builds it."""

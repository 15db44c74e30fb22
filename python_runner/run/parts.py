"""Native parts that belong to no engine: they too are built, and not cleaned away."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from python_runner.common.progress import Progress
from python_runner.engines.truth import prepare_truth_server

PARTS: Mapping[str, Callable[[Progress], object]] = {"truth server": prepare_truth_server}
"""Name to what builds it."""

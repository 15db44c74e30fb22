"""A run that is still going on: what its stacks have done and show so far."""

from python_runner.analyse.live.levels import RequestPoints, live_levels, request_points
from python_runner.analyse.live.noise import ProbeNoise, probe_noise
from python_runner.analyse.live.stacks import StackState, live_stacks

__all__ = [
    "ProbeNoise",
    "RequestPoints",
    "StackState",
    "live_levels",
    "live_stacks",
    "probe_noise",
    "request_points",
]

"""Servers that somebody else runs: asked, described and measured from outside, never started."""

from python_runner.engines.outside.answer import NOT_COUNTED
from python_runner.engines.outside.api_key import hide, key_headers
from python_runner.engines.outside.engine import OutsideEngine, RunningOutside, outside_settings
from python_runner.engines.outside.network import NetworkReading, SeenOverNetwork
from python_runner.engines.outside.said import describe, only_model
from python_runner.engines.outside.target import UNKNOWN, Outside

__all__ = [
    "NOT_COUNTED",
    "UNKNOWN",
    "NetworkReading",
    "Outside",
    "OutsideEngine",
    "RunningOutside",
    "SeenOverNetwork",
    "describe",
    "hide",
    "key_headers",
    "only_model",
    "outside_settings",
]

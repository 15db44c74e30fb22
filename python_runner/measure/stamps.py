"""The error of the stamps themselves, measured before a stack's first request."""

from __future__ import annotations

from dataclasses import dataclass

from python_runner.common.errors import PolystackError, reason_of
from python_runner.common.progress import Progress
from python_runner.engines.contract import RunningEngine, Served, StampsInProcess
from python_runner.measure.client_error import ClientError
from python_runner.measure.load.calibration import Calibrates, Pace, calibrate

# Of one request at a time. The engine's own pace is not known yet, and at one stream the
# client's error hardly hangs on it.
_TTFT_S = 0.05
_ITL_S = 0.02
_PROMPT = "The quick brown fox jumps over the lazy dog."


@dataclass(frozen=True, kw_only=True)
class StampError:
    """One of the two, or neither if it could not be measured."""

    client_error: ClientError | None = None
    """Served: of the client that stamps."""
    callback_cost_ns: float | None = None
    """Embedded: what stamping takes from the engine for each token."""


def stamp_error(
    running: RunningEngine, *, calibrator: Calibrates | None, progress: Progress
) -> StampError:
    """Measure it for an engine that idles: two seconds for a served one, at once for another."""
    if isinstance(running, Served):
        pace = Pace(
            dialect=running.endpoint.dialect,
            streams=1,
            ttft_s=_TTFT_S,
            itl_s=_ITL_S,
            prompt_text=_PROMPT,
        )
        return StampError(client_error=calibrate(calibrator, pace, progress))
    if isinstance(running, StampsInProcess):
        try:
            return StampError(callback_cost_ns=running.stamp_cost_ns())
        except PolystackError as error:
            progress.say(f"The cost of stamping could not be measured: {reason_of(error)}")
    return StampError()

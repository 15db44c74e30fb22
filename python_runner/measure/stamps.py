"""The error of the stamps themselves, measured before a stack's first request."""

from __future__ import annotations

from dataclasses import dataclass

from python_runner.common.clock import Clocks
from python_runner.common.errors import PolystackError, reason_of
from python_runner.common.progress import Progress
from python_runner.engines.contract import RunningEngine, Served, StampsInProcess
from python_runner.measure.client_error import ClientError
from python_runner.measure.load.calibration import Calibrates, Pace, calibrate
from python_runner.measure.resources import processes_below
from python_runner.measure.time_watch import TimeWatch
from python_runner.measure.undisturbed import undisturbed

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
    running: RunningEngine,
    *,
    calibrator: Calibrates | None,
    progress: Progress,
    clocks: Clocks | None = None,
) -> StampError:
    """Measure it for an engine that idles: two seconds for a served one, at once for another.

    What holds a sleep of the machine, by `clocks` (the system's, if None), is made again.
    """
    if isinstance(running, Served):
        pace = Pace(
            dialect=running.endpoint.dialect,
            streams=1,
            ttft_s=_TTFT_S,
            itl_s=_ITL_S,
            prompt_text=_PROMPT,
        )
        return StampError(client_error=calibrate(calibrator, pace, progress, clocks))
    if isinstance(running, StampsInProcess):
        what = "The cost of stamping"
        processes = [each.pid for each in processes_below(running.process_ids())]
        try:
            with TimeWatch(processes, clocks=clocks) as watch:
                cost_ns, lost = undisturbed(
                    running.stamp_cost_ns, what=what, watch=watch, say=progress.say
                )
        except PolystackError as error:
            lost = reason_of(error)
        if not lost:
            return StampError(callback_cost_ns=cost_ns)
        progress.say(f"{what} could not be measured: {lost}")
    return StampError()

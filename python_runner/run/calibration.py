"""Gets the client and the server whose truth is known ready, to measure the one by the other."""

from __future__ import annotations

from collections.abc import Mapping

from python_runner.common.errors import SetupError, reason_of
from python_runner.common.progress import Progress
from python_runner.engines.contract import Engine, Reach
from python_runner.engines.load_client import LoadClient
from python_runner.engines.streaming import prepare_stream_client
from python_runner.engines.truth import prepare_truth_server, truth_server
from python_runner.measure.load.calibration import Calibrator, Server


def calibrator_for(engines: Mapping[str, Engine], progress: Progress) -> Calibrator | None:
    """What measures the client's own error; None if no engine is served, or it cannot be built."""
    if all(candidate.spec.reach is not Reach.SERVED for candidate in engines.values()):
        return None
    try:
        return make_calibrator(LoadClient(prepare_stream_client(progress)), progress)
    except (SetupError, OSError) as error:
        progress.say(f"The client's own error will not be measured: {reason_of(error)}")
        return None


def make_calibrator(client: LoadClient, progress: Progress) -> Calibrator:
    """Build the server if it is not there yet. Raises SetupError."""
    server = truth_server(prepare_truth_server(progress))

    def start(ttft: str, itl: str) -> Server:
        return server(ttft=ttft, itl=itl)

    return Calibrator(client, start)

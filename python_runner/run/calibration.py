"""Gets the client and the server whose truth is known, to measure the one by the other."""

from __future__ import annotations

from functools import cached_property

from python_runner.common.progress import Progress, SilentProgress
from python_runner.engines.served.load_client import LoadClient
from python_runner.engines.served.streaming import prepare_stream_client
from python_runner.engines.served.truth import prepare_truth_server, truth_server
from python_runner.measure.client_error import ClientError
from python_runner.measure.load.calibration import Calibrator, Pace, Server


class CalibratorOnDemand:
    """Implements `measure.load.calibration.Calibrates`; loads its native parts when first asked.

    Served engines have had those parts built (`prepare_client`), and others never ask.
    """

    def __init__(self, progress: Progress | None = None) -> None:
        """Show a build that is missing all the same on `progress`."""
        self._progress = progress or SilentProgress()

    def measure(self, pace: Pace) -> ClientError:
        return self._calibrator.measure(pace)

    @cached_property
    def _calibrator(self) -> Calibrator:
        server = truth_server(prepare_truth_server(self._progress))

        def start(ttft: str, itl: str) -> Server:
            return server(ttft=ttft, itl=itl)

        return Calibrator(LoadClient(prepare_stream_client(self._progress)), start)

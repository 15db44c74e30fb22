"""The client's error from its stamps and the truth."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from python_runner.common.clock import NS_PER_S, ClockReading, now_ns
from python_runner.common.errors import EngineError
from python_runner.common.progress import SilentProgress
from python_runner.engines.contract import Dialect
from python_runner.measure.load.calibration import (
    Calibrator,
    Pace,
    calibrate,
    error_of,
    schedule_of,
    warning_of,
)
from python_runner.measure.load.level import ClientError, FinishedRequests
from tests.unit.load_builders import FakeRequest, client_error, finished
from tests.unit.measure.load.fakes import FakeClient, FakeRun

NS_PER_MS = 1_000_000


@dataclass
class FakeTruth:
    """Requests as the server has them: seen, and when each event was due and written, in ms."""

    rows: dict[str, tuple[float, list[float], list[float]]]

    @property
    def request_id(self) -> tuple[str, ...]:
        return tuple(self.rows)

    @property
    def seen_ns(self) -> bytes:
        return _ns([seen for seen, _, _ in self.rows.values()])

    @property
    def offsets(self) -> bytes:
        counts = [len(written) for _, _, written in self.rows.values()]
        return np.array([0, *np.cumsum(counts)], dtype="<i8").tobytes()

    @property
    def due_ns(self) -> bytes:
        return _ns([due for _, dues, _ in self.rows.values() for due in dues])

    @property
    def written_ns(self) -> bytes:
        return _ns([at for _, _, written in self.rows.values() for at in written])


def _ns(milliseconds: list[float]) -> bytes:
    return np.array([round(ms * NS_PER_MS) for ms in milliseconds], dtype="<i8").tobytes()


def error(requests: FinishedRequests, truth: FakeTruth) -> ClientError:
    return error_of(requests, truth, streams=1, cpu_s=0.012)


def steady(*, late: float = 0.0) -> FakeTruth:
    due = [50.0, 60.0, 70.0]
    return FakeTruth({"0": (0.0, due, [at + late for at in due])})


def test_a_client_without_error() -> None:
    found = error(finished([FakeRequest(chunks=(50.0, 60.0, 70.0))]), steady())
    assert (found.ttft_p50_ms, found.ttft_p99_ms, found.itl_p99_ms) == (0.0, 0.0, 0.0)
    assert found.rate_share == pytest.approx(1.0)
    assert (found.events, found.streams, found.warning) == (3, 1, "")
    assert found.cpu_s_per_1000_events == pytest.approx(4.0)


def test_a_late_first_stamp_is_an_error_of_ttft_and_of_the_gap_after_it() -> None:
    found = error(finished([FakeRequest(chunks=(50.7, 60.0, 70.0))]), steady())
    assert found.ttft_p50_ms == pytest.approx(0.7)
    assert found.itl_p99_ms == pytest.approx(0.7, rel=0.02)


def test_ttft_is_held_against_what_the_server_did_not_what_it_planned() -> None:
    found = error(finished([FakeRequest(chunks=(54.0, 64.0, 74.0))]), steady(late=4.0))
    assert found.ttft_p50_ms == pytest.approx(0.0)
    assert found.server_late_p99_ms == pytest.approx(4.0)


def test_gaps_of_one_read_are_not_known() -> None:
    together = FakeRequest(chunks=(50.0, 70.0, 70.0), reads=(0, 1, 1))
    found = error(finished([together]), steady())
    assert found.itl_p99_ms == pytest.approx(10.0)


def test_pauses_between_requests_count_against_the_rate() -> None:
    requests = [FakeRequest(chunks=(50.0,)), FakeRequest(sent=75.0, chunks=(125.0,))]
    truth = FakeTruth({"0": (0.0, [50.0], [50.0]), "1": (75.0, [125.0], [125.0])})
    found = error(finished(requests), truth)
    assert found.rate_share == pytest.approx(0.8)
    assert "80% of the rate" in found.warning


def test_requests_are_matched_by_their_number() -> None:
    requests = [FakeRequest(chunks=(50.0,)), FakeRequest(sent=100.0, chunks=(151.0,))]
    truth = FakeTruth({"1": (100.0, [150.0], [150.0]), "0": (0.0, [50.0], [50.0])})
    found = error(finished(requests), truth)
    assert found.ttft_p99_ms == pytest.approx(0.99)


def test_failed_requests_are_left_out_and_told() -> None:
    requests = [FakeRequest(chunks=(50.0, 60.0, 70.0)), FakeRequest(chunks=(), error_kind="closed")]
    assert "1 requests were not answered" in error(finished(requests), steady()).warning


def test_without_any_answer_there_is_no_error_to_tell() -> None:
    failed = FakeRequest(chunks=(), error_kind="closed", error="it hung up")
    with pytest.raises(EngineError, match="it hung up"):
        error(finished([failed]), steady())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"rate_share": 0.9}, "90% of the rate"),
        ({"ttft_p99_ms": 40.0}, "TTFT is off by 40 ms"),
        ({"itl_p99_ms": 9.0}, "ITL is off by 9 ms"),
    ],
)
def test_what_would_be_the_bottleneck_is_said(changes: dict[str, float], said: str) -> None:
    assert warning_of(client_error()) == ""
    warning = warning_of(client_error(**changes))
    assert said in warning
    assert "2 streams" in warning


def test_a_busy_machine_is_another_thing_than_a_slow_client() -> None:
    warning = warning_of(client_error(server_late_p99_ms=9.0))
    assert "stood still for about 9 ms" in warning
    assert "bottleneck" not in warning


def pace(**changes: object) -> Pace:
    values: dict[str, object] = {
        "dialect": Dialect.OPENAI_CHAT,
        "streams": 1,
        "ttft_s": 0.05,
        "itl_s": 0.01,
        "prompt_text": "one two",
    }
    return Pace(**{**values, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize("streams", [1, 4, 32, 1000])
@pytest.mark.parametrize("itl_s", [0.0, 0.0001, 0.01, 0.3])
@pytest.mark.parametrize("ttft_s", [0.0, 0.05, 30.0])
def test_a_calibration_is_short_and_not_harder_than_any_engine(
    streams: int, itl_s: float, ttft_s: float
) -> None:
    plan = schedule_of(pace(streams=streams, itl_s=itl_s, ttft_s=ttft_s))
    each = plan.ttft_s + (plan.tokens - 1) * plan.itl_s
    assert each * plan.requests / streams <= 3.0
    assert streams / plan.itl_s <= 20_001
    assert plan.requests % streams == 0
    assert plan.tokens >= 5


@dataclass
class FakeServer:
    url: str = "http://127.0.0.1:1"
    stopped: bool = False
    asked: list[str] = field(default_factory=list)

    def truth(self) -> FakeTruth:
        return steady()

    def stop(self) -> None:
        self.stopped = True


def test_the_client_is_put_on_the_server_in_the_dialect_that_is_measured() -> None:
    server = FakeServer()
    client = FakeClient([FakeRun([finished([FakeRequest(chunks=(50.0, 60.0, 70.0))])])])

    def start(ttft: str, itl: str) -> FakeServer:
        server.asked += [ttft, itl]
        return server

    found = Calibrator(client, start).measure(pace(streams=3))
    assert server.asked == ["50.000ms", "10.000ms"]
    assert server.stopped
    assert client.shapes[0].users == 3
    assert b'"messages"' in client.bodies[0][0]
    assert client.sent[0].numbered, "else requests are not matched with the server's truth"
    assert found.streams == 3


def test_a_calibration_that_fails_is_said_and_costs_nothing_else() -> None:
    said: list[str] = []

    class Telling(SilentProgress):
        def say(self, message: str) -> None:
            said.append(message)

    client = FakeClient([EngineError("no socket is left")])
    calibrator = Calibrator(client, lambda _ttft, _itl: FakeServer())
    assert calibrate(calibrator, pace(), Telling()) is None
    assert "no socket is left" in said[0]
    assert calibrate(None, pace(), Telling()) is None


@pytest.mark.parametrize(("sleeps", "is_known"), [(0, True), (1, True), (2, True), (3, False)])
def test_a_calibration_in_which_the_machine_slept_is_made_again(
    sleeps: int, *, is_known: bool
) -> None:
    said: list[str] = []

    class Telling(SilentProgress):
        def say(self, message: str) -> None:
            said.append(message)

    class Dozing:
        """Calibrates, on a machine that sleeps the first times; also its clocks."""

        def __init__(self) -> None:
            self.calls = 0

        def measure(self, _pace: Pace) -> ClientError:
            self.calls += 1
            if self.calls == 1 and sleeps:
                raise EngineError("no answer came")
            return client_error()

        def read(self) -> ClockReading:
            at_ns, slept_ns = now_ns(), min(self.calls, sleeps) * NS_PER_S
            asleep_ns = at_ns + slept_ns
            return ClockReading(monotonic_ns=at_ns, boot_ns=asleep_ns, wall_ns=asleep_ns)

    dozing = Dozing()
    found = calibrate(dozing, pace(), Telling(), dozing)
    assert (found is not None) is is_known
    assert dozing.calls == min(sleeps + 1, 3)
    assert sum("thrown away" in line for line in said) == sleeps
    assert any("could not be measured: machine asleep" in line for line in said) is not is_known

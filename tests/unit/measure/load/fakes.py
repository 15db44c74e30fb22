"""A client that sends nothing: it plays what a script says was answered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from python_runner.common.errors import PolystackError
from python_runner.engines.contract import Endpoint
from python_runner.engines.outside import NetworkReading
from python_runner.engines.served.load_client import LoadShape, Sending
from python_runner.measure import Condition
from python_runner.measure.load.level import ClientError, FinishedRequests, Level, LevelEnd
from tests.unit.load_builders import FakeRequest, finished

NOTHING = finished([])


@dataclass(frozen=True)
class FakeRecord:
    """`polystack_stream.LoadRecord` made of what is expected of it."""

    number: bytes
    user: bytes
    scheduled_ns: bytes
    sent_ns: bytes
    connect_ns: bytes
    tls_ns: bytes
    headers_ns: bytes
    ended_ns: bytes
    status: bytes
    prompt_tokens: bytes
    output_tokens: bytes
    chunk_offsets: bytes
    chunk_ns: bytes
    chunk_tokens: bytes
    chunk_reads: bytes
    chunk_is_reasoning: bytes
    error_kind: tuple[str, ...]
    error: tuple[str, ...]
    stop: tuple[str, ...]
    text: tuple[str, ...]
    final: tuple[bytes, ...]


def record_of(requests: FinishedRequests, final: Sequence[bytes] | None = None) -> FakeRecord:
    columns = {
        name: getattr(requests, name) for name in FakeRecord.__dataclass_fields__ if name != "final"
    }
    told: dict[str, Any] = {
        name: column if isinstance(column, tuple) else column.tobytes()
        for name, column in columns.items()
    }
    return FakeRecord(**told, final=tuple(final or [b""] * len(requests.number)))


@dataclass(frozen=True)
class FakeSnapshot:
    elapsed_ns: int = 2_000_000_000
    events: int = 40
    ttft_ns: tuple[int, int, int] = (51_000_000, 60_000_000, 120_000_000)
    itl_ns: tuple[int, int, int] = (10_000_000, 11_000_000, 20_000_000)


@dataclass
class FakeRun:
    """Hands out `parts`, one at each look, and has ended with the last."""

    parts: list[FinishedRequests]
    snapshots: FakeSnapshot = FakeSnapshot()
    interrupt: bool = False
    cancelled: bool = False
    started_ns: int = 1_000
    cpu_ns: int = 5_000_000
    looks: int = 0

    @property
    def ended_ns(self) -> int:
        return 9_000

    def snapshot(self) -> FakeSnapshot:
        return self.snapshots

    def take(self) -> FakeRecord:
        return record_of(self.parts.pop(0) if self.parts else NOTHING)

    def wait(self, timeout_s: float) -> bool:
        self.looks += 1
        if self.interrupt and not self.cancelled and self.looks > 1:
            raise KeyboardInterrupt
        return self.cancelled or len(self.parts) <= 1

    def cancel(self) -> None:
        self.cancelled = True


@dataclass
class FakeClient:
    """Starts the runs that it was given, in their order."""

    runs: list[FakeRun | PolystackError]
    bodies: list[Sequence[bytes]] = field(default_factory=list)
    shapes: list[LoadShape] = field(default_factory=list)
    sent: list[Sending] = field(default_factory=list)

    def start(
        self, endpoint: Endpoint, bodies: Sequence[bytes], shape: LoadShape, sending: Sending
    ) -> FakeRun:
        self.bodies.append(bodies)
        self.shapes.append(shape)
        self.sent.append(sending)
        run = self.runs.pop(0)
        if isinstance(run, PolystackError):
            raise run
        return run


def answered(*requests: FakeRequest) -> FakeRun:
    return FakeRun([finished(requests or [FakeRequest()])])


@dataclass
class Kept:
    """A recorder that keeps everything in memory, and the order of the calls."""

    calls: list[str] = field(default_factory=list)
    conditions: list[Condition] = field(default_factory=list)
    levels: list[tuple[Level, ClientError | None]] = field(default_factory=list)
    requests: list[FinishedRequests] = field(default_factory=list)
    ends: list[LevelEnd] = field(default_factory=list)
    endings: list[str] = field(default_factory=list)
    network: list[NetworkReading] = field(default_factory=list)

    def begin(self, condition: Condition) -> None:
        self.calls.append("begin")
        self.conditions.append(condition)

    def begin_level(self, level: Level, client_error: ClientError | None) -> None:
        self.calls.append("begin_level")
        self.levels.append((level, client_error))

    def record(self, requests: FinishedRequests) -> None:
        self.calls.append("record")
        self.requests.append(requests)

    def end_level(self, end: LevelEnd) -> None:
        self.calls.append("end_level")
        self.ends.append(end)

    def keep_network(self, readings: Sequence[NetworkReading]) -> None:
        self.network.extend(readings)

    def finish(self, *, peak_memory_bytes: int | None, error: str) -> None:
        self.calls.append("finish")
        self.endings.append(error)


@dataclass
class Notes:
    """A task that remembers what it was told."""

    fractions: list[float | None] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def update(self, fraction: float | None = None, note: str = "") -> None:
        self.fractions.append(fraction)
        self.notes.append(note)


Start = Callable[[], FakeRun]

"""What a measurement leaves behind, raw, and who keeps it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from python_runner.engines.contract import EngineSpec, Generation, LaunchSettings
from python_runner.engines.outside import NetworkReading
from python_runner.measure.client_error import ClientError
from python_runner.measure.machine_noise import NoiseReading
from python_runner.measure.time_watch import TimeMarks


@dataclass(frozen=True, kw_only=True)
class Condition:
    """All that may explain a difference between two stacks."""

    engine: EngineSpec
    settings: LaunchSettings
    template: str
    sampling: str
    prompt_cache: str
    version: str = ""
    build: Mapping[str, str] = field(default_factory=dict)
    load_seconds: float | None = None
    """From process start to ready, in seconds, of this visit; None if it never was."""
    client_error: ClientError | None = None
    """Served: the error of the client's stamps for one request at a time; None: not measured."""
    callback_cost_ns: float | None = None
    """Embedded: what stamping takes from the engine for each token; None: not measured."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One request and what came of it. Either `generation` or `error` or both.

    Both: an answer came, and it is not the answer that was asked for.
    """

    iteration: int
    """From 1, going on over the blocks; warm-up requests have a count of their own."""
    is_warmup: bool
    prompt_text: str
    prompt_tokens: int
    """Tokens of the prompt by the reference tokenizer, BOS included."""
    requested_tokens: int
    generation: Generation | None
    error: str = ""
    block: int = 1
    """The visit that it belongs to, from 1; see `measure.blocks`."""
    noise: NoiseReading | None = None
    """What the machine was like just before; None: not looked at."""
    resources: Mapping[str, float] = field(default_factory=dict)
    """What the engine's processes used for it (`resources.Meter.used`)."""
    time: TimeMarks = field(default_factory=TimeMarks)
    """Whether time went on as usual while it was under way."""
    attempt: int = 1
    """Which attempt it is. All its stamps are of this attempt alone: none counts from an earlier
    one, which is a `FailedAttempt`."""


@dataclass(frozen=True, kw_only=True)
class FailedAttempt:
    """An attempt that failed and was followed by another. The last one is no such row.

    Of a request, the last is its sample; of a start, the visit, or the stack's error. But where
    the last outlasted its time because nothing ran, and the stack was started anew for the next
    request, it is such a row, too: that new start is what it tells of.
    """

    stack: str
    block: int
    """0: when it was looked at, before anything was timed."""
    iteration: int | None
    """None: to start it."""
    is_warmup: bool
    attempt: int
    """From 1."""
    error: str
    began_ns: int
    """CLOCK_MONOTONIC; of an attempt after another, when the engine was started anew for it."""
    ended_ns: int


class Recorder(Protocol):
    """Keeps what is measured. When a call returns, its data are safe on disk."""

    def begin(self, condition: Condition) -> None:
        """A visit to a stack begins: it is ready and will be measured under `condition`.

        Of later visits to the same stack only `load_seconds` is news.
        """

    def record(self, sample: Sample) -> None:
        """One request of the current stack has ended."""

    def keep_attempt(self, failed: FailedAttempt) -> None:
        """An attempt has failed, and another will be made."""

    def keep_network(self, readings: Sequence[NetworkReading]) -> None:
        """The way to the current stack was looked at."""

    def finish(self, *, peak_memory_bytes: int | None, error: str) -> None:
        """The visit is over; `error` says why, if the stack ended before its time."""

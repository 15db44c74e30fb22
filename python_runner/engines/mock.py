"""Engines that are no engines: they answer from a script, on a clock of their own.

No process runs and nobody sleeps, so a whole study takes milliseconds and gives the same
figures to the nanosecond every time: what the pipeline's tests and pictures are made from.
There is one for each language, so that reports can be drawn from mocks alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from python_runner.common.clock import NS_PER_MS, NS_PER_S
from python_runner.common.errors import EngineCrashError, EngineStartError, GenerationError
from python_runner.common.progress import Progress
from python_runner.engines.contract import (
    EngineDescription,
    EngineSpec,
    GenerateRequest,
    Generation,
    Language,
    LaunchSettings,
    Reach,
    StopReason,
    WeightFormat,
)

_FIRST_ID = 10
_IDS = 90
_STRIDE = 7


@dataclass(frozen=True, kw_only=True)
class MockScript:
    """What a mock does. Requests count from 1; times are nanoseconds."""

    ttft_ns: int = 40 * NS_PER_MS
    itl_ns: int = 10 * NS_PER_MS
    offsets_ns: tuple[int, ...] = (0,)
    """Added to the TTFT of the first, second, … request; begins again at its end."""
    idle_ns: int = NS_PER_MS
    """From the end of one request to the beginning of the next."""
    begin_ns: int = 1000 * NS_PER_S
    """When the first request is sent."""
    load_seconds: float = 1.5
    build: Mapping[str, str] = field(default_factory=dict)
    """What it says of itself, besides or instead of its threads."""
    crash_at_start: bool = False
    fail_at: frozenset[int] = frozenset()
    """Requests that end in a GenerationError."""
    crash_at: int | None = None
    """The request at which the process ends by itself."""
    end_of_sequence_after: int | None = None
    """Tokens after which the answer ends of itself, if it is not made to go on."""
    extra_tokens: int = 0
    """Tokens given beyond those that were asked for: a wrong count."""
    extra_prompt_tokens: int = 0
    """Prompt tokens counted beyond those that there are, as by a doubled BOS."""


class MockEngine:
    """Implements `contract.Engine` by a script."""

    def __init__(self, spec: EngineSpec, script: MockScript) -> None:
        self._spec = spec
        self._script = script

    @property
    def spec(self) -> EngineSpec:
        return self._spec

    def prepare(self, progress: Progress) -> None:
        """Nothing to find or build."""

    def start(self, settings: LaunchSettings, log: Path) -> MockModel:
        """Be ready at once, or raise EngineStartError if the script says so."""
        if self._script.crash_at_start:
            raise EngineStartError(f"{self._spec.title} never became ready", hint="By its script.")
        return MockModel(self._spec, self._script, settings)


class MockModel:
    """Implements `contract.RunningEngine` by a script, on a virtual clock."""

    def __init__(self, spec: EngineSpec, script: MockScript, settings: LaunchSettings) -> None:
        self._spec = spec
        self._script = script
        self._threads = settings.threads
        self._now_ns = script.begin_ns
        self._requests = 0
        self._ended = ""

    @property
    def description(self) -> EngineDescription:
        build = {"threads": str(self._threads), **self._script.build}
        return EngineDescription(version="mock 1", build=build)

    @property
    def load_seconds(self) -> float:
        return self._script.load_seconds

    def token_ids(self, text: str) -> tuple[int, ...] | None:
        """None: a mock has no tokenizer."""
        return None

    def generate(self, request: GenerateRequest) -> Generation:
        self._requests += 1
        self._fail_by_script()
        script = self._script
        count = self._count(request)
        offset_ns = script.offsets_ns[(self._requests - 1) % len(script.offsets_ns)]
        requested_ns = self._now_ns
        first_ns = requested_ns + script.ttft_ns + offset_ns
        chunk_ns = tuple(first_ns + i * script.itl_ns for i in range(count))
        ended_ns = chunk_ns[-1] if chunk_ns else first_ns
        self._now_ns = ended_ns + script.idle_ns
        ids = _answer(request.prompt_ids, count)
        return Generation(
            requested_ns=requested_ns,
            chunk_ns=chunk_ns,
            chunk_tokens=(1,) * count,
            ended_ns=ended_ns,
            prompt_tokens=len(request.prompt_ids) + script.extra_prompt_tokens,
            output_tokens=count,
            stop=(StopReason.END_OF_SEQUENCE if count < request.new_tokens else StopReason.LENGTH),
            text="".join(f" t{token}" for token in ids),
            token_ids=ids if self._spec.reports_token_ids else None,
        )

    def process_ids(self) -> tuple[int, ...]:
        return ()

    def stop(self) -> None:
        self._ended = self._ended or "was stopped"

    def __enter__(self) -> MockModel:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def _fail_by_script(self) -> None:
        if self._requests == self._script.crash_at:
            self._ended = "ended by itself (signal SIGILL)"
        if self._ended:
            raise EngineCrashError(f"{self._spec.title} {self._ended}")
        if self._requests in self._script.fail_at:
            raise GenerationError(f"{self._spec.title} failed at request {self._requests}")

    def _count(self, request: GenerateRequest) -> int:
        """Tokens of the next answer."""
        goes_on = request.ignore_end_of_sequence and self._spec.can_ignore_end_of_sequence
        natural = self._script.end_of_sequence_after
        if natural is not None and natural < request.new_tokens and not goes_on:
            return natural
        return request.new_tokens + self._script.extra_tokens


def _answer(prompt_ids: tuple[int, ...], count: int) -> tuple[int, ...]:
    """Ids that depend on the prompt alone, so that all mocks give the same answer."""
    return tuple(_FIRST_ID + (sum(prompt_ids) + _STRIDE * i) % _IDS for i in range(count))


def mock_spec(
    name: str, language: Language, reach: Reach, *, can_ignore_end_of_sequence: bool = True
) -> EngineSpec:
    """The spec of a mock; it reads the same model files as the stack that it stands for."""
    return EngineSpec(
        name=name,
        title=f"mock {language}",
        language=language,
        reach=reach,
        formats={word: _format(word) for word in ("bf16", "8bit", "shipped")},
        model_format="safetensors",
        can_ignore_end_of_sequence=can_ignore_end_of_sequence,
        reports_token_ids=can_ignore_end_of_sequence,
        takes_token_ids=True,
    )


def _format(word: str) -> WeightFormat:
    return WeightFormat(name=word, bits=8 if word == "8bit" else 16, memory_per_weight_byte=1.1)


def _offsets(*milliseconds: int) -> tuple[int, ...]:
    return tuple(ms * NS_PER_MS for ms in milliseconds)


# Made-up figures, chosen so that pictures drawn from mocks have four different bars.
CPP = MockEngine(
    mock_spec("mock-cpp", Language.CPP, Reach.EMBEDDED),
    MockScript(
        ttft_ns=1200 * NS_PER_MS,
        itl_ns=215 * NS_PER_MS,
        offsets_ns=_offsets(0, 90, -60, 30, -110, 150, 20, -40, 70, -80, 10, 120),
    ),
)
GO = MockEngine(
    mock_spec("mock-go", Language.GO, Reach.SERVED, can_ignore_end_of_sequence=False),
    MockScript(
        ttft_ns=1300 * NS_PER_MS,
        itl_ns=225 * NS_PER_MS,
        offsets_ns=_offsets(40, -70, 160, 0, -30, 80, 210, -90, 20, 60, -50, 110),
        load_seconds=3.0,
    ),
)
RUST = MockEngine(
    mock_spec("mock-rust", Language.RUST, Reach.EMBEDDED),
    MockScript(
        ttft_ns=1100 * NS_PER_MS,
        itl_ns=190 * NS_PER_MS,
        offsets_ns=_offsets(-20, 60, 30, -90, 130, 0, -50, 100, -10, 50, 80, -60),
        load_seconds=6.0,
    ),
)
PYTHON = MockEngine(
    mock_spec("mock-python", Language.PYTHON, Reach.EMBEDDED),
    MockScript(
        ttft_ns=2600 * NS_PER_MS,
        itl_ns=410 * NS_PER_MS,
        offsets_ns=_offsets(300, -120, 80, 250, -200, 0, 140, -60, 190, 40, -150, 110),
        load_seconds=9.0,
    ),
)

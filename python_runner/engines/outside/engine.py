"""A server that somebody else has started: it is asked, and never started, stopped or configured.

What it runs on, with which weights and flags, is not known here, and the record says so.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from python_runner.common.errors import ModelError, UsageError
from python_runner.common.progress import Progress, SilentProgress
from python_runner.engines.contract import (
    Endpoint,
    EngineDescription,
    EngineSpec,
    GenerateRequest,
    Generation,
    Language,
    LaunchSettings,
    Reach,
)
from python_runner.engines.outside.answer import CountTokens, ask, generation_of
from python_runner.engines.outside.dialects import Options, body_of
from python_runner.engines.outside.network import NetworkReading, read_network
from python_runner.engines.outside.said import describe
from python_runner.engines.outside.target import UNKNOWN, Outside
from python_runner.engines.served.load_client import LoadClient, Sending
from python_runner.engines.served.streaming import prepare_stream_client
from python_runner.engines.served.truth import prepare_client
from python_runner.models import Model, ReferenceTokenizer


class OutsideEngine:
    """Implements `contract.Engine` and `Adjusts`; `start` only asks what it is."""

    def __init__(self, outside: Outside, options: Options) -> None:
        """Ask `outside` with requests that carry `options`."""
        self._outside = outside
        self._options = options

    @property
    def outside(self) -> Outside:
        """Where it is."""
        return self._outside

    @property
    def options(self) -> Options:
        """What its requests carry."""
        return self._options

    @property
    def spec(self) -> EngineSpec:
        return EngineSpec(
            name=self._outside.title,
            title=self._outside.title,
            language=Language.NONE,
            reach=Reach.SERVED,
            formats={},
            model_format=UNKNOWN,
            can_ignore_end_of_sequence=self._options.ignore_eos,
            reports_token_ids=False,
            takes_token_ids=False,
        )

    def settings_for(self, settings: LaunchSettings) -> LaunchSettings:
        """Nothing of what others are started with is known of it."""
        return outside_settings(
            self._options.model,
            folder=self._outside.tokenizer,
            context=self._options.context,
            timeout_s=settings.start_timeout_s,
        )

    def prepare(self, progress: Progress) -> None:
        """Build the client that asks it, and what the client is measured by."""
        prepare_client(progress)

    def start(self, settings: LaunchSettings, log: Path) -> RunningOutside:
        """Ask it for its version; whether it answers requests is seen by the first of them."""
        return RunningOutside(self._outside, self._options, describe(self._outside))


class RunningOutside:
    """Implements `contract.RunningEngine`, `Served` and `SeenOverNetwork`, as far as others may."""

    def __init__(self, outside: Outside, options: Options, description: EngineDescription) -> None:
        self._outside = outside
        self._options = options
        self._description = description

    @property
    def description(self) -> EngineDescription:
        return self._description

    @property
    def load_seconds(self) -> float:
        """0: it was not started here, and how long that takes is not known."""
        return 0.0

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint(
            url=self._outside.url, dialect=self._outside.dialect, model=self._options.model
        )

    def request_body(self, request: GenerateRequest) -> bytes:
        return body_of(self._outside.dialect, request, self._options)

    def token_ids(self, text: str) -> None:
        """None: it is not asked."""

    def generate(self, request: GenerateRequest) -> Generation:
        """Ask it for one greedy answer, streamed.

        Raises:
            GenerationError: no answer, or none that can be read; says what to look at.
        """
        outside = self._outside
        sending = Sending(
            headers=outside.headers,
            timeout_s=min(request.timeout_s, outside.timeout_s),
            ca_file=outside.ca_file,
            keep_text=True,
        )
        record = ask(self._client, self.endpoint, self.request_body(request), sending)
        return generation_of(
            record, self.endpoint, request, secrets=outside.secrets, count=self._count
        )

    def read_network(self, when: str) -> NetworkReading:
        return read_network(self._outside, when)

    def process_ids(self) -> tuple[int, ...]:
        return ()

    def stop(self) -> None:
        """Nothing: it is not ours."""

    def __enter__(self) -> RunningOutside:
        return self

    def __exit__(self, *exc: object) -> None:
        pass

    @cached_property
    def _client(self) -> LoadClient:
        return LoadClient(prepare_stream_client(SilentProgress()))

    @cached_property
    def _count(self) -> CountTokens | None:
        folder = self._outside.tokenizer
        if folder is None:
            return None
        tokenizer = tokenizer_in(folder)
        return lambda text: len(tokenizer.encode_plain(text))


def tokenizer_in(folder: Path) -> ReferenceTokenizer:
    """The tokenizer that a user named. Raises UsageError if there is none."""
    try:
        return ReferenceTokenizer(folder)
    except ModelError as error:
        raise UsageError(
            f"--tokenizer {folder}: {error.message}",
            hint="Name a folder with a tokenizer.json, as models on Hugging Face have it.",
        ) from error


def outside_settings(
    model: str, *, folder: Path | None, context: int | None, timeout_s: float
) -> LaunchSettings:
    """What is known of how it was started: next to nothing. 0 stands for `not known`."""
    known = Model(
        name=model,
        label=model,
        is_synthetic=False,
        folder=folder or Path(),
        source_sha256="",
        gguf={},
    )
    return LaunchSettings(
        model=known,
        precision=UNKNOWN,
        device=UNKNOWN,
        threads=0,
        context=context or 0,
        slots=0,
        start_timeout_s=timeout_s,
    )

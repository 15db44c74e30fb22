"""A server that somebody else has started: it is asked, and never started, stopped or configured.

What it runs on, with which weights and flags, is not known here, and the record says so.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from python_runner.common.errors import GenerationError, UsageError
from python_runner.common.progress import Progress
from python_runner.engines.contract import (
    Dialect,
    Endpoint,
    EngineDescription,
    EngineSpec,
    GenerateRequest,
    Generation,
    Language,
    LaunchSettings,
    Reach,
)
from python_runner.engines.dialects import PATHS, Options, body_of
from python_runner.engines.streaming import NotAnsweredError
from python_runner.models import Model

UNKNOWN = "not known"
_TIMEOUT_S = 5.0
_MOST_NAMES = 20
_REFUSED = frozenset({401, 403})


@dataclass(frozen=True, kw_only=True)
class Outside:
    """Where a server of somebody else's is, and how it is to be asked."""

    url: str
    """Whole URL that requests are posted to."""
    dialect: Dialect
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """May hold a key."""
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """What must not be kept even if the server repeats it."""
    ca_file: str | None = None

    @property
    def host(self) -> str:
        """`host:port`, as the URL has it."""
        return urlsplit(self.url).netloc

    @property
    def base(self) -> str:
        """The URL without the path of the dialect."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}{parts.path.removesuffix(PATHS[self.dialect])}"


class OutsideEngine:
    """Implements `contract.Engine`; `start` only asks what it is."""

    def __init__(self, outside: Outside, options: Options) -> None:
        """Ask `outside` with requests that carry `options`."""
        self._outside = outside
        self._options = options

    @property
    def outside(self) -> Outside:
        """Where it is."""
        return self._outside

    @property
    def spec(self) -> EngineSpec:
        return EngineSpec(
            name=self._outside.host,
            title=self._outside.host,
            language=Language.NONE,
            reach=Reach.SERVED,
            formats={},
            model_format=UNKNOWN,
            can_ignore_end_of_sequence=self._options.ignore_eos,
            reports_token_ids=False,
            takes_token_ids=False,
        )

    def prepare(self, progress: Progress) -> None:
        """Nothing to find or build."""

    def start(self, settings: LaunchSettings, log: Path) -> RunningOutside:
        """Ask it for its version; whether it answers requests is seen by the first of them."""
        return RunningOutside(self._outside, self._options, describe(self._outside))


class RunningOutside:
    """Implements `contract.RunningEngine` and `Served`, as far as others may."""

    def __init__(self, outside: Outside, options: Options, description: EngineDescription) -> None:
        self._outside = outside
        self._options = options
        self._description = description

    @property
    def description(self) -> EngineDescription:
        return self._description

    @property
    def load_seconds(self) -> float:
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
        raise GenerationError(f"{self._outside.host} is put under load only")

    def process_ids(self) -> tuple[int, ...]:
        return ()

    def stop(self) -> None:
        """Nothing: it is not ours."""

    def __enter__(self) -> RunningOutside:
        return self

    def __exit__(self, *exc: object) -> None:
        pass


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


def describe(outside: Outside) -> EngineDescription:
    """What the server says of itself; what it does not say is `not known`."""
    said: dict[str, str] = {}
    with _client(outside) as client:
        for path, read in (
            ("/api/version", _ollama_version),
            ("/version", _plain_version),
            ("/props", _llama_version),
            ("/v1/models", _owner),
        ):
            answer = _get(client, f"{outside.base}{path}")
            if answer is None:
                break  # nobody is there; the first request says why
            if server := answer.headers.get("server"):
                said.setdefault("server header", server)
            if version := read(_json(answer)):
                said.setdefault("version", version)
    header = said.get("server header")
    return EngineDescription(
        version=said.pop("version", "") or (f"server header {header}" if header else UNKNOWN),
        build={"URL": outside.url, "dialect": outside.dialect.value, **said},
    )


def only_model(outside: Outside) -> str:
    """The one model that the server has.

    Raises:
        UsageError: it has several, or does not say.
        NotAnsweredError: nobody answers there.
    """
    with _client(outside) as client:
        try:
            openai = client.get(f"{outside.base}/v1/models")
            names = _names(openai, "data", "id")
            if not names:
                names = _names(client.get(f"{outside.base}/api/tags"), "models", "name")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise NotAnsweredError(
                f"{outside.host} cannot be asked for its models: {error}",
                hint="Is the server up, and are host and port right?",
            ) from error
    if openai.status_code in _REFUSED:
        raise GenerationError(
            f"{outside.host} answered {openai.status_code} when it was asked for its models",
            hint="It wants a key: put it into a variable and name that, --api-key-env NAME.",
        )
    if len(names) == 1:
        return names[0]
    if not names:
        raise UsageError(
            f"{outside.host} does not say which models it has", hint="Name one with --model."
        )
    shown = ", ".join(names[:_MOST_NAMES])
    raise UsageError(
        f"{outside.host} has {len(names)} models: {shown}", hint="Name one with --model."
    )


def _client(outside: Outside) -> httpx.Client:
    context = ssl.create_default_context()
    if outside.ca_file:
        try:
            context.load_verify_locations(outside.ca_file)
        except OSError as error:
            raise UsageError(
                f"--ca-file {outside.ca_file}: {error.strerror or error}",
                hint="Name a file of certificates in PEM.",
            ) from error
    return httpx.Client(
        timeout=_TIMEOUT_S, headers=dict(outside.headers), verify=context, trust_env=False
    )


def _get(client: httpx.Client, url: str) -> httpx.Response | None:
    try:
        return client.get(url)
    except (httpx.HTTPError, httpx.InvalidURL):
        return None


def _json(answer: httpx.Response) -> Any:
    try:
        return answer.json() if answer.is_success else None
    except ValueError:
        return None


def _field(document: Any, key: str) -> str:
    value = document.get(key) if isinstance(document, dict) else None
    return value if isinstance(value, str) else ""


def _ollama_version(document: Any) -> str:
    return (version := _field(document, "version")) and f"Ollama {version}"


def _plain_version(document: Any) -> str:
    return _field(document, "version")


def _llama_version(document: Any) -> str:
    return (build := _field(document, "build_info")) and f"llama.cpp {build}"


def _owner(document: Any) -> str:
    models = document.get("data") if isinstance(document, dict) else None
    first = models[0] if isinstance(models, list) and models else None
    return (owner := _field(first, "owned_by")) and f"{owner}, version not said"


def _names(answer: httpx.Response, key: str, name: str) -> list[str]:
    document = _json(answer)
    rows = document.get(key) if isinstance(document, dict) else None
    return [found for row in rows if (found := _field(row, name))] if isinstance(rows, list) else []

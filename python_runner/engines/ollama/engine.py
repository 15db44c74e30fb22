"""The Go stack: Ollama, served over HTTP.

Ollama has two engines. For Gemma-2 it starts llama.cpp's in C++, and Go only serves; asked
to, it runs its own in Go, which is a row of its own here. Which one ran is in the label of
every result. It cannot ignore the end of a sequence, takes text
only, and adds BOS itself. Its prompt cache cannot be switched off: the beginning that a
prompt shares with the one before is not computed again, so prompts must be unique.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from python_runner.common.clock import NS_PER_S, now_ns
from python_runner.common.errors import EngineStartError, GenerationError, reason_of
from python_runner.common.locations import cache_dir
from python_runner.common.progress import Progress, SilentProgress
from python_runner.common.variants import knobs_of
from python_runner.engines.build.ollama import ollama_build
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
    RunningEngine,
    Shipped,
)
from python_runner.engines.ggml.knobs import OLLAMA_KNOBS, ollama_options, words
from python_runner.engines.ggml.weights import gguf_formats, gguf_of, with_weights
from python_runner.engines.ollama.answer import generation_of
from python_runner.engines.ollama.collectors import GOGC_KNOB, gogc_value, gogc_words
from python_runner.engines.ollama.go_trace import GoTrace
from python_runner.engines.ollama.server import FOREVER, OllamaServer, Runner, start_ollama
from python_runner.engines.ollama.store import OllamaStore, model_name
from python_runner.engines.ollama.variant import BATCH, Variant, describe
from python_runner.engines.served.at_once import Batching
from python_runner.engines.served.streaming import (
    Framing,
    StreamClient,
    prepare_stream_client,
)
from python_runner.engines.served.truth import prepare_client
from python_runner.engines.variants import variant_spec

SPEC = EngineSpec(
    name="ollama",
    title="Ollama",
    language=Language.GO,
    reach=Reach.SERVED,
    batching=Batching.SLOTS,
    formats=gguf_formats(shipped="q4_0"),
    model_format="gguf",
    can_ignore_end_of_sequence=False,
    reports_token_ids=False,
    takes_token_ids=False,
    # Without a graphics card (0.17.4, server/routes.go).
    shipped=Shipped(context=4096),
    keeps_a_copy=True,
)

_LOG_DELAY_S = 0.01
# Nothing but the largest logit decides: one candidate, no penalty, no stop word.
_GREEDY: dict[str, object] = {
    "temperature": 0.0,
    "top_k": 1,
    "top_p": 1.0,
    "min_p": 0.0,
    "typical_p": 1.0,
    "repeat_last_n": 0,
    "repeat_penalty": 1.0,
    "presence_penalty": 0.0,
    "frequency_penalty": 0.0,
    "stop": [],
}


class OllamaEngine:
    """Implements `contract.Engine` and `Tunable`."""

    def __init__(self, store: OllamaStore | None = None, variant: Variant | None = None) -> None:
        """Use `store` for the models; by default the variant's own in our cache."""
        self.store = store
        self.variant = variant or Variant(spec=SPEC)

    @property
    def spec(self) -> EngineSpec:
        return self.variant.spec

    @property
    def knobs(self) -> Mapping[str, str]:
        compiled = OLLAMA_KNOBS if self.variant.is_built_here else {}
        return {"gogc": f"{GOGC_KNOB}, in server and runner", **compiled}

    def tuned(self, knobs: Mapping[str, str]) -> OllamaEngine:
        """With these knobs besides those that are turned already. Raises UsageError."""
        said = [gogc_words(gogc_value(knobs["gogc"]))] if "gogc" in knobs else []
        compiled = {knob: value for knob, value in knobs.items() if knob != "gogc"}
        spec = variant_spec(self.spec, knobs, [*said, *words(compiled)])
        turned = knobs_of(spec.name)
        variant = replace(self.variant, spec=spec, gogc=turned.get("gogc", ""))
        if self.variant.is_built_here:
            options = ollama_options(turned)
            variant = replace(variant, find=partial(ollama_build, options=options))
        return OllamaEngine(self.store, variant)

    def prepare(self, progress: Progress) -> None:
        """Find or build the server, and the client. Raises SetupError."""
        self.variant.find(progress)
        prepare_client(progress)

    def start(self, settings: LaunchSettings, log: Path) -> RunningEngine:
        """Start the server and load the model; the first time, give it the model before.

        Call it from a thread that lives as long as the engine.
        """
        quiet = SilentProgress()  # `prepare` has built everything
        build = self.variant.find(quiet)
        client = StreamClient(prepare_stream_client(quiet))
        store = self.store or OllamaStore(cache_dir() / self.variant.models)
        gguf = gguf_of(self.spec, settings)
        name = model_name(_hash_of(gguf, store))
        start = partial(
            start_ollama,
            build.binary,
            store,
            settings,
            log,
            go_engine=self.variant.go_engine,
            go_runtime=self.variant.go_runtime,
        )
        server, version = start()
        try:
            if server.take_in(store, gguf, name, timeout_s=settings.start_timeout_s):
                # So that the loading that is timed starts from a new process.
                server.stop()
                server, version = start()
            server.load(name, _runner_options(settings), timeout_s=settings.start_timeout_s)
            load_ns = now_ns() - server.started_ns
            runner = server.runner()
            if runner is None:
                raise EngineStartError("Ollama runs no model", hint=f"Its log: {log}")
            description = with_weights(
                describe(self.variant, build, version, server, runner), self.spec, settings
            )
            trace = server.trace(runner) if self.variant.trace_gc else None
        except BaseException:  # Ctrl-C too must not leave the process behind
            server.stop()
            raise
        return RunningOllama(
            server,
            runner,
            client,
            description,
            settings,
            model=name,
            load_ns=load_ns,
            trace=trace,
        )


class RunningOllama:
    """A server with its model in memory. Implements `contract.RunningEngine` and `Served`."""

    def __init__(
        self,
        server: OllamaServer,
        runner: Runner,
        client: StreamClient,
        description: EngineDescription,
        settings: LaunchSettings,
        *,
        model: str,
        load_ns: int,
        trace: GoTrace | None = None,
    ) -> None:
        self._server = server
        self._trace = trace
        self._runner = runner
        self._client = client
        self._description = description
        self._settings = settings
        self._model = model
        self._load_ns = load_ns

    @property
    def description(self) -> EngineDescription:
        return self._description

    @property
    def load_seconds(self) -> float:
        return self._load_ns / NS_PER_S

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint(
            url=f"{self._server.url}/api/generate",
            dialect=Dialect.OLLAMA_GENERATE,
            model=self._model,
        )

    def request_body(self, request: GenerateRequest) -> bytes:
        return request_body(self._model, request, self._settings)

    def token_ids(self, text: str) -> None:
        """None: Ollama gives counts only."""

    def generate(self, request: GenerateRequest) -> Generation:
        if self._trace is None:
            return self._answer(request)
        self._trace.skip()
        answer = self._answer(request)
        # What the runner logs comes by way of the server.
        time.sleep(_LOG_DELAY_S)
        timings = {**answer.engine_timings, **self._trace.timings()}
        return replace(answer, engine_timings=timings)

    def _answer(self, request: GenerateRequest) -> Generation:
        self._server.check_is_running("waiting for a request")
        try:
            stream = self._client.post(
                self.endpoint.url,
                self.request_body(request),
                framing=Framing.NDJSON,
                timeout_s=request.timeout_s,
                stall_timeout_s=request.stall_timeout_s,
            )
            answer = generation_of(stream, new_tokens=request.new_tokens)
        except GenerationError as error:
            self._raise_if_gone(error)
            raise
        # The server replaces a runner that has died without a word: then this answer was
        # slowed down by loading the model again.
        self._raise_if_gone(None)
        return answer

    def process_ids(self) -> tuple[int, ...]:
        return (self._server.pid,)

    def ending(self) -> str:
        if ended := self._server.ending():
            return ended
        return "" if self._runner.is_alive() else reason_of(self._server.runner_gone())

    def stop(self) -> None:
        """End server and runner, also from another thread in mid-stream."""
        self._server.stop()

    def __enter__(self) -> RunningOllama:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def _raise_if_gone(self, cause: GenerationError | None) -> None:
        """Raise EngineCrashError if a process of the engine has ended."""
        self._server.raise_if_gone(cause)
        if not self._runner.is_alive():
            raise self._server.runner_gone() from cause


def request_body(model: str, request: GenerateRequest, settings: LaunchSettings) -> bytes:
    """The JSON of a request. `raw` keeps Ollama's templates away from the rendered prompt."""
    return json.dumps(
        {
            "model": model,
            "prompt": request.prompt_text,
            "raw": True,
            "stream": True,
            # What does not fit is to be an error, not another prompt.
            "truncate": False,
            "shift": False,
            "keep_alive": FOREVER,
            "options": {
                **_runner_options(settings),
                **_GREEDY,
                "num_predict": request.new_tokens,
                "seed": request.seed,
            },
        }
    ).encode()


def _runner_options(settings: LaunchSettings) -> dict[str, int]:
    """What decides how the model is loaded: Ollama loads anew when a request differs in it."""
    return {
        "num_batch": BATCH,
        "num_ctx": settings.context,
        "num_gpu": 0,
        "num_thread": settings.threads,
    }


def _hash_of(gguf: Path, store: OllamaStore) -> str:
    try:
        return store.hash_of(gguf)
    except OSError as error:
        raise EngineStartError(
            f"{gguf} cannot be read: {error.strerror}",
            hint="Delete it, if it is there, and run again: it will be made anew.",
        ) from error


ENGINE = OllamaEngine()
GO_ENGINE = OllamaEngine(
    variant=Variant(
        spec=replace(SPEC, name="ollama-go-engine", title="Ollama (Go engine)"), go_engine=True
    )
)

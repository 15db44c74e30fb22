"""The C++ stack, served: llama.cpp's own server, from the same build as the binding.

It stands in for llamafile where none is at hand, and always under its own name: llamafile is
a server of this kind with other kernels, compiled for more CPUs.

Unlike the binding it forbids the end of a sequence where that is to be ignored, by a logit of
minus infinity, and picks the best token through its chain of samplers.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from python_runner.common.build.cache import recipe_of
from python_runner.common.errors import EngineStartError
from python_runner.common.progress import Progress, SilentProgress
from python_runner.engines.build.llamacpp import ggml_number, llama_cpp_prefix, system_info
from python_runner.engines.contract import (
    PROMPT_CACHE,
    EngineDescription,
    EngineSpec,
    Language,
    LaunchSettings,
    Reach,
    RunningEngine,
)
from python_runner.engines.ggml.facts import ggml_facts
from python_runner.engines.ggml.weights import gguf_formats, gguf_of, with_weights
from python_runner.engines.llama.llamacpp import (
    build_text,
    ggml_version,
    instruction_sets,
    version_text,
)
from python_runner.engines.llama.served import (
    Launch,
    Started,
    logged_config_file,
    server_environment,
    start_served,
)
from python_runner.engines.served.at_once import Batching
from python_runner.engines.served.streaming import StreamClient, prepare_stream_client
from python_runner.engines.served.truth import prepare_client
from python_runner.engines.variants import one_of, variant_spec

SPEC = EngineSpec(
    name="llama-server",
    title="llama-server",
    language=Language.CPP,
    reach=Reach.SERVED,
    batching=Batching.SLOTS,
    formats=gguf_formats(shipped="q4_k_m"),
    model_format="gguf",
    can_ignore_end_of_sequence=True,
    reports_token_ids=True,
    takes_token_ids=True,
)

_STANDS_FOR = "llamafile"
_MICROBATCH = 512
"""Most prompt tokens computed at once, as in the binding."""


class LlamaServerEngine:
    """Implements `contract.Engine` and `Tunable`."""

    knobs: Mapping[str, str] = MappingProxyType(
        {"prompt-cache": "whether what a prompt shares with the last is kept of it: on or off"}
    )

    def __init__(self, spec: EngineSpec = SPEC, *, caches: bool = False) -> None:
        self._spec = spec
        self._caches = caches

    @property
    def spec(self) -> EngineSpec:
        return self._spec

    def tuned(self, knobs: Mapping[str, str]) -> LlamaServerEngine:
        """The same server with its prompt cache on or off."""
        state = one_of("prompt-cache", knobs["prompt-cache"], ("on", "off"))
        spec = variant_spec(self._spec, knobs, [f"prompt cache {state}"])
        return LlamaServerEngine(spec, caches=state == "on")

    def prepare(self, progress: Progress) -> None:
        """Build the server and the client. Raises SetupError."""
        llama_cpp_prefix(progress)
        prepare_client(progress)

    def start(self, settings: LaunchSettings, log: Path) -> RunningEngine:
        """Start the server and wait until its model is loaded. Raises EngineStartError.

        Call it from a thread that lives as long as the engine.
        """
        quiet = SilentProgress()  # `prepare` has built everything
        prefix = llama_cpp_prefix(quiet)
        recipe = recipe_of(prefix)
        features = instruction_sets(system_info(prefix))
        number = ggml_number(prefix)
        gguf = gguf_of(SPEC, settings)
        launch = Launch(
            title=SPEC.title,
            command=lambda port: [
                prefix / "bin" / "llama-server",
                *server_arguments(gguf, settings, port, caches=self._caches),
            ],
            environment=server_environment(settings.threads),
            reads_text=True,
            caches=self._caches,
            advice="If the GGUF file is damaged, delete it and run again: it will be made anew.",
        )
        return start_served(
            launch,
            settings,
            log,
            StreamClient(prepare_stream_client(quiet)),
            lambda started: with_weights(
                describe(recipe, started, features, settings, caches=self._caches, ggml=number),
                SPEC,
                settings,
            ),
        )


def server_arguments(
    gguf: Path, settings: LaunchSettings, port: int, *, caches: bool = False
) -> list[str | Path]:
    """The words after `llama-server`: what the binding has, and no more."""
    threads, context = str(settings.threads), str(settings.context)
    # The server divides its context among its slots.
    in_all = str(settings.context * settings.slots)
    network = ["--host", "127.0.0.1", "--port", str(port), "--offline", "--no-ui"]
    work = ["-t", threads, "-tb", threads, "-c", in_all, "-b", context]
    slots = ["-ub", str(_microbatch(settings)), "-np", str(settings.slots), "--no-kv-unified"]
    attention = ["-fa", "off", "-ctk", "f16", "-ctv", "f16"]
    # What of a prompt could be kept for the next. With a cache: what the slot still holds of
    # the last one. Of a model with a sliding window it holds too little to go back, unless its
    # memory is as large as the context.
    kept = ["--cache-prompt", "--swa-full"] if caches else ["--no-cache-prompt"]
    kept += ["--cache-ram", "0", "--ctx-checkpoints", "0"]
    # The settings as they are, on the CPU, and no run before the first request.
    plain = ["--device", "none", "-fit", "off", "--no-warmup"]
    return ["-m", gguf, *network, *work, *slots, *attention, *kept, *plain]


def describe(
    recipe: Mapping[str, object],
    started: Started,
    features: str,
    settings: LaunchSettings,
    *,
    caches: bool = False,
    ggml: str = "",
) -> EngineDescription:
    """Which build it is, with ggml of that number.

    Raises EngineStartError if the server says that it is another.
    """
    said = str(started.props.get("build_info", ""))
    commit = str(recipe["commit"])
    if commit not in said:
        raise EngineStartError(
            f"llama-server says it is {said or 'nothing'}, and {commit} was built",
            hint="Delete the folder llama-cpp-… in the cache's builds and run again.",
        )
    config_file = logged_config_file(started.log)
    return EngineDescription(
        version=version_text(recipe),
        build={
            **build_text(recipe),
            "stands in for": _STANDS_FOR,
            "instruction sets": features or "not known",
            PROMPT_CACHE: "on: what is shared with the last prompt, by --swa-full"
            if caches
            else "off",
            "prompt tokens computed at once": str(_microbatch(settings)),
            **ggml_facts(
                version=ggml_version(recipe, ggml),
                features=features,
                keeps_threads=True,
                is_mapped=True,
            ),
            **({"config file": config_file} if config_file else {}),
        },
    )


def _microbatch(settings: LaunchSettings) -> int:
    return min(settings.context, _MICROBATCH)


ENGINE = LlamaServerEngine()

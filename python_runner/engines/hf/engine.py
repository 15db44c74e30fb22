"""The Python stack: transformers and torch, in process.

`model.generate` is used as its users use it, with a streamer that stamps each token. The
attention is the one that transformers chooses for the model: for Gemma-2 that is `eager`,
because the fused kernel (`sdpa`) cannot apply the soft cap of the attention scores.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import MappingProxyType
from typing import Any

from python_runner.common.errors import SetupError
from python_runner.common.progress import Progress
from python_runner.engines.contract import (
    AS_NEEDED,
    CONTEXT_MEMORY,
    KV_CACHE,
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
from python_runner.engines.hf.facts import ISA_VARIABLE, build_facts
from python_runner.engines.hf.int8 import INT8, held_as, spelled, to_int8
from python_runner.engines.hf.watch import GenerateWatch, PythonCollector
from python_runner.engines.scoring import ScoreRequest, TokenScores
from python_runner.engines.stamp_cost import median_cost_ns
from python_runner.engines.variants import one_of, variant_spec
from python_runner.engines.worker.embedded import EmbeddedEngine

FORCE_GC_VARIABLE = "POLYSTACK_PY_FORCE_GC"
"""1: collect Python's garbage after every token, to see that the collector's time is seen."""
_GC_VARIABLE = "POLYSTACK_PY_GC"
"""off: Python's collector is switched off in the worker once the model is loaded."""
_PAGE_BYTES = 4096

_BF16 = WeightFormat(name="bf16", bits=16, memory_per_weight_byte=1.2)

SPEC = EngineSpec(
    name="transformers",
    title="transformers",
    language=Language.PYTHON,
    reach=Reach.EMBEDDED,
    formats={
        "bf16": _BF16,
        "8bit": WeightFormat(name=INT8, bits=8, memory_per_weight_byte=2.4),
        # Without a word about it, transformers 5 takes the type that the checkpoint has.
        "shipped": _BF16,
    },
    model_format="safetensors",
    can_ignore_end_of_sequence=True,
    reports_token_ids=True,
    takes_token_ids=True,
    scores=True,
)


def prepare(progress: Progress) -> None:
    """Nothing is built; raises SetupError if the packages are not installed."""
    require("torch", "torchao", "transformers")


def require(*packages: str) -> None:
    """Raise SetupError for the first of these packages that is not installed."""
    for package in packages:
        try:
            version(package)
        except PackageNotFoundError as error:
            raise SetupError(
                f"the Python package {package} is not installed",
                hint="Install polystack with its dependencies, as the README says.",
            ) from error


def environment(settings: LaunchSettings) -> Mapping[str, str]:
    """Keep torch's matrix kernels to the instruction sets that the other stacks use.

    Without this oneDNN multiplies bf16 matrices in AMX tiles where the CPU has them, which
    makes the prefill several times faster. The other stacks are compiled without AMX, so
    the difference would be the CPU's and be read as the language's. A value that the user
    has set is left alone, and is recorded.
    """
    return {ISA_VARIABLE: os.environ.get(ISA_VARIABLE, "AVX512_CORE_BF16")}


def load(settings: LaunchSettings) -> TransformersModel:
    """Load the model in the current process, every page of its weights in memory."""
    return served_by(*load_parts(settings.model.folder, settings.threads, settings.precision))


def served_by(
    model: Any, tokenizer: Any, held: Callable[[Any], Mapping[str, str]] = held_as
) -> TransformersModel:
    """What the worker has of a loaded model, its collector as the engine's knob says.

    Args:
        model: of transformers.
        tokenizer: its own, of transformers.
        held: says of the model what its weights are held in.
    """
    if os.environ.get(_GC_VARIABLE) == "off":
        gc.disable()
    is_forced = os.environ.get(FORCE_GC_VARIABLE) == "1"
    return TransformersModel(model, tokenizer, held=held, force_gc=is_forced)


def load_parts(folder: Path, threads: int, precision: str = "bf16") -> tuple[Any, Any]:
    """The model and its tokenizer, as transformers has them.

    Args:
        folder: the safetensors.
        threads: of torch.
        precision: a word of `SPEC.formats`.
    """
    import torch
    from transformers import AutoModelForCausalLM

    torch.set_num_threads(threads)
    tokenizer = read_tokenizer(folder)
    dtype = "auto" if precision == "shipped" else torch.bfloat16
    model = AutoModelForCausalLM.from_pretrained(
        folder, dtype=dtype, use_safetensors=True, trust_remote_code=False
    )
    touch(model.parameters())
    if precision == "8bit":
        to_int8(model)
    return model, tokenizer


def read_tokenizer(folder: Path) -> Any:
    """As tokenizer.json says it, like the reference.

    AutoTokenizer goes by the model's type first, and then reads some models' texts in another
    way than their file.
    """
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast.from_pretrained(folder)


class TransformersModel:
    """Implements `in_process.InProcessModel`."""

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        *,
        held: Callable[[Any], Mapping[str, str]] = held_as,
        force_gc: bool = False,
    ) -> None:
        self._model = model
        self._held = held
        self._force_gc = force_gc
        self._collector = PythonCollector()
        self._collector.watch()
        self._tokenizer = tokenizer
        self._end_ids = _as_ids(model.generation_config.eos_token_id)
        model.generation_config = _plain_greedy(model.generation_config, tokenizer.pad_token_id)

    @property
    def description(self) -> EngineDescription:
        build = {
            **build_facts(self._model.config),
            **self._held(self._model),
            KV_CACHE: spelled(self._model.dtype),
            "prompt tokens computed at once": "all",
            "Python's collector": "on" if gc.isenabled() else "off",
        }
        if not self._model.generation_config.cache_implementation:
            build[CONTEXT_MEMORY] = AS_NEEDED
        if self._force_gc:
            build["forced collections"] = "after every token"
        return EngineDescription(version=version("transformers"), build=build)

    def token_ids(self, text: str) -> tuple[int, ...]:
        return tuple(self._tokenizer(text).input_ids)

    def generate(self, request: GenerateRequest) -> Generation:
        import torch

        watch = GenerateWatch(self._collector, force_gc=self._force_gc)
        with torch.inference_mode(), watch.hooked(self._model):
            prompt = torch.tensor([request.prompt_ids])
            self._model.generate(
                prompt,
                attention_mask=torch.ones_like(prompt),
                max_new_tokens=request.new_tokens,
                do_sample=False,
                eos_token_id=None if request.ignore_end_of_sequence else self._end_ids,
                streamer=watch,
            )
        watch.generated()
        ids, times = watch.ids, watch.times_ns
        stopped = not request.ignore_end_of_sequence and ids[-1] in self._end_ids
        if stopped:
            # The mark that ends an answer is not a part of it.
            ids, times = ids[:-1], times[:-1]
        text = self._tokenizer.decode(
            ids, skip_special_tokens=False, clean_up_tokenization_spaces=False
        )
        return Generation(
            requested_ns=watch.requested_ns,
            chunk_ns=tuple(times),
            chunk_tokens=(1,) * len(times),
            ended_ns=watch.detokenised(),
            prompt_tokens=len(request.prompt_ids),
            output_tokens=len(ids),
            stop=StopReason.END_OF_SEQUENCE if stopped else StopReason.LENGTH,
            text=text,
            token_ids=tuple(ids),
            engine_timings=watch.timings(),
        )

    def score(self, request: ScoreRequest) -> TokenScores:
        from python_runner.engines.hf.score import score

        return score(self._model, request)

    def stamp_cost_ns(self) -> float:
        import torch

        token, model = torch.tensor([1]), torch.nn.Identity()
        plain_ns = median_cost_ns(lambda: model(token))
        watch = GenerateWatch(self._collector)
        watch.put(token)  # the prompt comes first, and is not a token
        with watch.hooked(model):
            watched_ns = median_cost_ns(lambda: watch.put(model(token)))
        return max(0.0, watched_ns - plain_ns)

    def close(self) -> None:
        del self._model


def _plain_greedy(given: Any, pad_id: int | None) -> Any:
    """The model's own settings without what would change a greedy answer.

    Published models bring penalties and temperatures along, which the other engines are not
    given. And `generate` fills an end-of-sequence id that a request leaves out from here, so
    it has to be absent for a request that is to go on past it.
    """
    kept = {"cache_implementation": getattr(given, "cache_implementation", None)}
    return type(given)(**kept, bos_token_id=given.bos_token_id, pad_token_id=pad_id)


def touch(weights: Any) -> None:
    """Read one byte of every page.

    The weights are memory-mapped: else the first request would pay for reading the file,
    and the load time would leave it out.
    """
    import torch

    for weight in weights:
        weight.detach().view(torch.uint8).flatten()[::_PAGE_BYTES].sum()


def _as_ids(configured: int | list[int] | None) -> list[int]:
    if configured is None:
        return []
    return [configured] if isinstance(configured, int) else list(configured)


class TransformersEngine(EmbeddedEngine):
    """transformers in a worker. Implements `contract.Engine` and `Tunable`."""

    knobs: Mapping[str, str] = MappingProxyType(
        {"gc": "Python's garbage collector in the worker: on or off"}
    )

    def __init__(
        self,
        spec: EngineSpec = SPEC,
        *,
        prepare: Callable[[Progress], None] = prepare,
        loader: str = "python_runner.engines.hf.engine:load",
        collects: bool = True,
    ) -> None:
        super().__init__(spec=spec, prepare=prepare, loader=loader, environment=self._variables)
        self._collects = collects

    def tuned(self, knobs: Mapping[str, str]) -> TransformersEngine:
        """The same with Python's collector on or off."""
        state = one_of("gc", knobs["gc"], ("on", "off"))
        spec = variant_spec(self.spec, knobs, [f"Python's gc {state}"])
        return type(self)(spec, prepare=self._prepare, loader=self._loader, collects=state == "on")

    def _variables(self, settings: LaunchSettings) -> Mapping[str, str]:
        return {**environment(settings), _GC_VARIABLE: "" if self._collects else "off"}


ENGINE = TransformersEngine()

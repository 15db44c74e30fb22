"""The C++ stack: llama.cpp in process, through our pybind11 binding (`native/cpp`).

Prompts go in as ids and the best token is taken from the logits directly, so neither a
tokenizer nor a chain of samplers is part of what is timed. Where an end of sequence is to
be ignored it counts as a token like any other, as in transformers and mistral.rs;
llama-server would forbid it instead.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from python_runner.common.build.cache import recipe_of
from python_runner.common.build.cpu import recipe_in_words
from python_runner.common.build.extension import import_extension
from python_runner.common.clock import now_ns
from python_runner.common.errors import EngineStartError, GenerationError
from python_runner.common.progress import Progress, SilentProgress
from python_runner.common.variants import knobs_of
from python_runner.engines.build.llamacpp import library_fact, llama_binding, llama_cpp_prefix
from python_runner.engines.build.llamacpp_variant import library_binding, library_prefix
from python_runner.engines.contract import (
    AT_LOAD,
    CONTEXT_MEMORY,
    FLASH_ATTENTION,
    KV_CACHE,
    PROMPT_CACHE,
    EngineDescription,
    EngineSpec,
    GenerateRequest,
    Generation,
    Language,
    LaunchSettings,
    Reach,
    StopReason,
)
from python_runner.engines.ggml.facts import LIBRARY, ggml_facts
from python_runner.engines.ggml.knobs import LLAMA_KNOBS, LlamaVariant, llama_variant, words
from python_runner.engines.ggml.weights import gguf_formats, gguf_of, with_weights
from python_runner.engines.scoring import ScoreRequest, TokenScores
from python_runner.engines.variants import variant_spec
from python_runner.engines.worker.embedded import EmbeddedEngine

if TYPE_CHECKING:
    import polystack_llama

SPEC = EngineSpec(
    name="llama.cpp",
    title="llama.cpp",
    language=Language.CPP,
    reach=Reach.EMBEDDED,
    formats=gguf_formats(shipped="q4_k_m"),
    model_format="gguf",
    can_ignore_end_of_sequence=True,
    reports_token_ids=True,
    takes_token_ids=True,
    scores=True,
)


_VARIABLE = "POLYSTACK_LLAMA_CPP"
"""Tells the worker which variant it is: the stack's name."""


def prepare(progress: Progress) -> None:
    """Build llama.cpp and the binding to it. Raises SetupError."""
    llama_binding(progress)


def load(settings: LaunchSettings) -> LlamaModel:
    """Load the model in the current process, with the variant that the environment names.

    Raises EngineStartError.
    """
    return load_variant(settings, llama_variant(knobs_of(os.environ.get(_VARIABLE, ""))))


def load_variant(settings: LaunchSettings, variant: LlamaVariant) -> LlamaModel:
    """Load the model in the current process. Raises EngineStartError."""
    quiet = SilentProgress()  # `prepare` has built everything
    import_extension(library_binding(variant.build, quiet), "polystack_llama")
    import polystack_llama

    try:
        model = polystack_llama.Model(
            str(gguf_of(SPEC, settings)),
            threads=settings.threads,
            context=settings.context,
            use_mmap=variant.maps_file,
            keep_threads=variant.keeps_threads,
        )
    except polystack_llama.LlamaError as error:
        raise EngineStartError(
            f"llama.cpp: {error}", hint="Make the GGUF file anew: delete it and run again."
        ) from error
    prefix = library_prefix(variant.build, quiet)
    recipe = recipe_of(prefix)
    features = instruction_sets(polystack_llama.system_info())
    info = polystack_llama.build_info()
    description = EngineDescription(
        version=version_text(recipe),
        build={
            **build_text(recipe),
            LIBRARY: library_fact(prefix),
            "instruction sets": features,
            PROMPT_CACHE: "off",
            "binding compiler": info["compiler"],
            "prompt tokens computed at once": str(model.describe().microbatch),
            **ggml_facts(
                version=ggml_version(recipe, info["ggml"]),
                features=features,
                keeps_threads=variant.keeps_threads,
                is_mapped=variant.maps_file,
            ),
        },
    )
    # What is in the file is asked for later: reading it is no part of loading the model.
    return LlamaModel(model, lambda: with_weights(description, SPEC, settings))


def load_vocabulary(settings: LaunchSettings) -> LlamaVocabulary:
    """Load the tokenizer of the model only. Raises EngineStartError."""
    import_extension(llama_binding(SilentProgress()), "polystack_llama")
    import polystack_llama

    try:
        return LlamaVocabulary(polystack_llama.Vocabulary(str(gguf_of(SPEC, settings))))
    except polystack_llama.LlamaError as error:
        raise EngineStartError(f"llama.cpp: {error}") from error


class LlamaVocabulary:
    """Implements `in_process.InProcessModel` as far as texts can be read without weights."""

    def __init__(self, vocabulary: polystack_llama.Vocabulary) -> None:
        self._vocabulary = vocabulary

    @property
    def description(self) -> EngineDescription:
        version = version_text(recipe_of(llama_cpp_prefix(SilentProgress())))
        return EngineDescription(version=version, build={})

    def token_ids(self, text: str) -> tuple[int, ...]:
        return tuple(self._vocabulary.tokenize(text, add_bos=True))

    def generate(self, request: GenerateRequest) -> Generation:
        raise GenerationError("a tokenizer has no answers")

    def close(self) -> None:
        del self._vocabulary


class LlamaModel:
    """Implements `in_process.InProcessModel`."""

    def __init__(
        self, model: polystack_llama.Model, describe: Callable[[], EngineDescription]
    ) -> None:
        self._model = model
        self._describe = describe

    @property
    def description(self) -> EngineDescription:
        return self._describe()

    def token_ids(self, text: str) -> tuple[int, ...]:
        return tuple(self._model.tokenize(text, add_bos=True))

    def generate(self, request: GenerateRequest) -> Generation:
        import polystack_llama

        try:
            answer = self._model.generate(
                request.prompt_ids,
                new_tokens=request.new_tokens,
                ignore_eos=request.ignore_end_of_sequence,
            )
        except polystack_llama.LlamaError as error:
            raise GenerationError(f"llama.cpp: {error}") from error
        ids = tuple(answer.ids.tolist())
        # An answer of a set length may end within a character.
        text = self._model.detokenize(ids).decode(errors="replace")
        ended_ns = now_ns()
        return Generation(
            requested_ns=answer.requested_ns,
            chunk_ns=tuple(answer.token_ns.tolist()),
            chunk_tokens=(1,) * len(ids),
            ended_ns=ended_ns,
            prompt_tokens=len(request.prompt_ids),
            output_tokens=len(ids),
            stop=StopReason.END_OF_SEQUENCE if answer.stopped else StopReason.LENGTH,
            text=text,
            token_ids=ids,
            engine_timings={
                "tokenise_ns": 0.0,  # the prompt comes as ids
                "prefill_ns": float(answer.prefill_end_ns - answer.requested_ns),
                "decode_ns": float(answer.decode_ns),
                "sample_ns": float(answer.sample_ns),
                "detokenise_ns": float(ended_ns - answer.ended_ns),
            },
        )

    def score(self, request: ScoreRequest) -> TokenScores:
        import polystack_llama

        try:
            found = self._model.score(request.prompt_ids, request.answer_ids, top=request.top)
        except polystack_llama.LlamaError as error:
            raise GenerationError(f"llama.cpp: {error}") from error
        return TokenScores(
            logprobs=tuple(found.logprobs.tolist()),
            top_ids=tuple(tuple(row) for row in found.top_ids.tolist()),
            top_logprobs=tuple(tuple(row) for row in found.top_logprobs.tolist()),
        )

    def stamp_cost_ns(self) -> float:
        import polystack_llama

        return polystack_llama.stamp_cost_ns()

    def close(self) -> None:
        del self._model


def version_text(recipe: Mapping[str, object]) -> str:
    """Which llama.cpp it is: the source has no number of its own, so the commit names it."""
    return str(recipe["commit"] or f"in {_source(recipe)}")


def ggml_version(recipe: Mapping[str, object], number: str) -> str:
    """Which ggml it is; one from Ollama's module bears no number, and patches of Ollama's."""
    if "ollama" in recipe:
        return f"llama.cpp {recipe['commit']} with {recipe['patches']} patches"
    return f"{number} (llama.cpp {version_text(recipe)})".lstrip()


def _source(recipe: Mapping[str, object]) -> str:
    if "ollama" in recipe:
        return f"Ollama {recipe['ollama']}"
    return f"llama-cpp-python {recipe['llama_cpp_python']}"


def build_text(recipe: Mapping[str, object]) -> dict[str, str]:
    """What is known of a build from its recipe, in words for tables."""
    cpu = recipe["cpu"]
    assert isinstance(cpu, dict)
    return {
        "source": _source(recipe),
        "compiler": str(recipe["compiler"]),
        **recipe_in_words(cpu),
        "ggml options": " ".join(cpu["ggml"]),
        FLASH_ATTENTION: "off",
        KV_CACHE: "f16",
        CONTEXT_MEMORY: AT_LOAD,
    }


def instruction_sets(system_info: str) -> str:
    """The features that llama.cpp reports as compiled in, without those that it lacks.

    It prints `CPU : SSE3 = 1 | AVX = 1 | LLAMAFILE = 1 | OPENMP = 1 |`.
    """
    _, _, listed = system_info.partition(":")
    pairs = (part.partition("=") for part in listed.split("|"))
    return " ".join(name.strip() for name, _, value in pairs if value.strip() == "1")


class LlamaCppEngine(EmbeddedEngine):
    """llama.cpp in process. Implements `contract.Tunable` besides."""

    def __init__(self, spec: EngineSpec = SPEC, variant: LlamaVariant | None = None) -> None:
        chosen = variant or LlamaVariant()
        super().__init__(
            spec=spec,
            prepare=lambda progress: _prepare(chosen, progress),
            loader="python_runner.engines.llama.llamacpp:load",
            environment=lambda _settings: {_VARIABLE: spec.name},
        )

    @property
    def knobs(self) -> Mapping[str, str]:
        return LLAMA_KNOBS

    def tuned(self, knobs: Mapping[str, str]) -> LlamaCppEngine:
        """With these knobs besides those that are turned already. Raises UsageError."""
        spec = variant_spec(self.spec, knobs, words(knobs))
        return LlamaCppEngine(spec, llama_variant(knobs_of(spec.name)))


def _prepare(variant: LlamaVariant, progress: Progress) -> None:
    library_binding(variant.build, progress)


ENGINE = LlamaCppEngine()

"""The Rust stack: mistral.rs in process, through our PyO3 binding (`native/rust`).

The binding stands on the crate `mistralrs-core`, which takes prompts as ids, can ignore an
end of sequence, and lets us see every token at the moment it is chosen. What it cannot do on
a CPU is to multiply in bf16: see `LOADING`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from python_runner.common.build.extension import import_extension
from python_runner.common.clock import now_ns
from python_runner.common.errors import EngineStartError, GenerationError
from python_runner.common.progress import Progress, SilentProgress
from python_runner.engines.build.mistralrs import Made, mistralrs_build
from python_runner.engines.contract import (
    ACTIVATIONS,
    AS_NEEDED,
    CONTEXT_MEMORY,
    FLASH_ATTENTION,
    KV_CACHE,
    PROMPT_CACHE,
    WEIGHTS_IN_MEMORY,
    EngineDescription,
    EngineSpec,
    GenerateRequest,
    Generation,
    Language,
    LaunchSettings,
    Reach,
    Shipped,
    StopReason,
    WeightFormat,
)
from python_runner.engines.scoring import ScoreRequest, TokenScores
from python_runner.engines.worker.embedded import EmbeddedEngine

if TYPE_CHECKING:
    import polystack_mistralrs

SPEC = EngineSpec(
    name="mistral.rs",
    title="mistral.rs",
    language=Language.RUST,
    reach=Reach.EMBEDDED,
    formats={
        # bf16 and 32 bits lie side by side while it loads.
        "bf16": WeightFormat(name="f32", bits=32, memory_per_weight_byte=3.0),
        "8bit": WeightFormat(name="Q8_0", bits=8, memory_per_weight_byte=1.8),
        # What its "auto" comes to on a CPU (decision 0008).
        "shipped": WeightFormat(name="f16", bits=16, memory_per_weight_byte=2.0),
    },
    model_format="safetensors",
    can_ignore_end_of_sequence=True,
    reports_token_ids=True,
    takes_token_ids=True,
    shipped=Shipped(every_processor=True),  # rayon's own choice
    scores=True,
)


@dataclass(frozen=True, kw_only=True)
class Loading:
    """How the binding is asked to load the weights."""

    dtype: Literal["auto", "f32"]
    """Of all that is not quantised."""
    isq: Literal["q8_0"] | None = None
    """What the matrices are quantised to, in place."""


LOADING: Mapping[str, Loading] = {
    # The released candle has no product of bf16 matrices on a CPU. In 32 bits the weights keep
    # their values exactly, at twice the memory traffic (decision 0008).
    "bf16": Loading(dtype="f32"),
    "8bit": Loading(dtype="f32", isq="q8_0"),
    "shipped": Loading(dtype="auto"),
}
"""By the word that a study has for the precision."""


def prepare(progress: Progress) -> None:
    """Build the binding, mistral.rs included. Raises SetupError."""
    mistralrs_build(progress)


def load(settings: LaunchSettings) -> MistralRsModel:
    """Load the model in the current process. Raises EngineStartError."""
    build = mistralrs_build(SilentProgress())  # `prepare` has built everything
    import_extension(build.folder, "polystack_mistralrs")
    import polystack_mistralrs

    folder = settings.model.folder
    if not (folder / "config.json").is_file():
        # mistral.rs would take the path for the name of a model to download.
        raise EngineStartError(f"{folder} holds no model (no config.json)")
    how = LOADING[settings.precision]
    try:
        model = polystack_mistralrs.Model(str(folder), dtype=how.dtype, isq=how.isq)
    except polystack_mistralrs.MistralRsError as error:
        raise EngineStartError(f"mistral.rs: {error}") from error
    return MistralRsModel(
        model,
        EngineDescription(version=build.made.version, build=facts_of(build.made, model.dtype, how)),
        end_ids=end_ids(folder),
        vocabulary=vocabulary_size(folder),
    )


class MistralRsModel:
    """Implements `in_process.InProcessModel`."""

    def __init__(
        self,
        model: polystack_mistralrs.Model,
        description: EngineDescription,
        *,
        end_ids: tuple[int, ...],
        vocabulary: int,
    ) -> None:
        self._model = model
        self._description = description
        self._end_ids = end_ids
        self._vocabulary = vocabulary

    @property
    def description(self) -> EngineDescription:
        return self._description

    def token_ids(self, text: str) -> tuple[int, ...]:
        return tuple(self._model.tokenize(text))

    def generate(self, request: GenerateRequest) -> Generation:
        import polystack_mistralrs

        try:
            answer = self._model.generate(
                request.prompt_ids,
                new_tokens=request.new_tokens,
                stop_ids=() if request.ignore_end_of_sequence else self._end_ids,
            )
            text = self._model.detokenize(answer.ids)
            ended_ns = now_ns()
        except polystack_mistralrs.MistralRsError as error:
            raise GenerationError(f"mistral.rs: {error}") from error
        return Generation(
            requested_ns=answer.requested_ns,
            chunk_ns=tuple(answer.token_ns),
            chunk_tokens=(1,) * len(answer.ids),
            ended_ns=ended_ns,
            prompt_tokens=len(request.prompt_ids),
            output_tokens=len(answer.ids),
            stop=StopReason.END_OF_SEQUENCE if answer.stopped else StopReason.LENGTH,
            text=text,
            token_ids=tuple(answer.ids),
            engine_timings={
                "tokenise_ns": 0.0,  # the prompt comes as ids
                "prefill_ns": float(answer.prefill_ns),
                "decode_ns": float(answer.decode_ns),
                "sample_ns": float(answer.sample_ns),
                "detokenise_ns": float(ended_ns - answer.ended_ns),
                "total_prompt_time_sec": answer.total_prompt_time_sec,
                "total_completion_time_sec": answer.total_completion_time_sec,
            },
        )

    def score(self, request: ScoreRequest) -> TokenScores:
        import polystack_mistralrs

        try:
            found = self._model.score(request.prompt_ids, request.answer_ids, top=request.top)
        except polystack_mistralrs.MistralRsError as error:
            raise GenerationError(f"mistral.rs: {error}") from error
        return TokenScores(
            logprobs=tuple(found.logprobs),
            top_ids=tuple(tuple(row) for row in found.top_ids),
            top_logprobs=tuple(tuple(row) for row in found.top_logprobs),
        )

    def stamp_cost_ns(self) -> float:
        import polystack_mistralrs

        return float(polystack_mistralrs.watch_cost_ns(vocabulary=self._vocabulary))

    def close(self) -> None:
        del self._model


def end_ids(folder: Path) -> tuple[int, ...]:
    """The tokens that end an answer, as the model's files name them; may be none."""
    for name in ("generation_config.json", "config.json"):
        path = folder / name
        if path.is_file():
            found = json.loads(path.read_text(encoding="utf-8")).get("eos_token_id")
            if found is not None:
                return tuple(found) if isinstance(found, list) else (int(found),)
    return ()


def vocabulary_size(folder: Path) -> int:
    """Pieces of the model's vocabulary, of which each step has a row of logits."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return int(config.get("vocab_size") or config["text_config"]["vocab_size"])


def facts_of(made: Made, dtype: str, how: Loading) -> dict[str, str]:
    """What the build and the loaded model are, in words for tables; `dtype` as it says itself."""
    return {
        "source": f"crates mistralrs-core {made.version}, candle-core {made.tensor_version}",
        "compiler": made.compiler,
        "flags": " ".join(made.flags),
        "compiled for": " ".join(made.instruction_sets) or "this CPU, as rustc sees it",
        WEIGHTS_IN_MEMORY: how.isq.upper() if how.isq else dtype,
        **({"not quantised": f"embedding and norms, {dtype}"} if how.isq else {}),
        ACTIVATIONS: f"{dtype}, 8 bits in products" if how.isq else dtype,
        KV_CACHE: dtype,
        CONTEXT_MEMORY: AS_NEEDED,
        # For CPUs 0.8.1 has no other attention (src/attention/mod.rs).
        FLASH_ATTENTION: "on, a kernel of its own",
        PROMPT_CACHE: "off",
        "paged attention": "off",
    }


ENGINE = EmbeddedEngine(
    spec=SPEC, prepare=prepare, loader="python_runner.engines.mistralrs.engine:load"
)

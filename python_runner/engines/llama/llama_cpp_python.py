"""llama.cpp from Python by ctypes: the package llama-cpp-python, in process.

The library that computes is the very file behind the row `llama.cpp`. The loop around each token
is the package's own (`Llama.generate`), in Python: it fills the batch, calls the library, and
has its chain of samplers choose. So the difference between the two rows is the binding.
"""

from __future__ import annotations

import platform
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from python_runner.common.build.cache import recipe_of
from python_runner.common.build.extension import import_extension
from python_runner.common.clock import now_ns
from python_runner.common.errors import EngineStartError
from python_runner.common.progress import Progress, SilentProgress
from python_runner.engines.build.llama_cpp_python import (
    NEEDS,
    CtypesBinding,
    llama_cpp_python,
    require_packages,
)
from python_runner.engines.build.llamacpp import ggml_number, library_fact
from python_runner.engines.contract import (
    PROMPT_CACHE,
    EngineDescription,
    EngineSpec,
    GenerateRequest,
    Generation,
    Language,
    LaunchSettings,
    Reach,
    Shipped,
    StopReason,
)
from python_runner.engines.ggml.facts import LIBRARY, ggml_facts
from python_runner.engines.ggml.weights import gguf_formats, gguf_of, with_weights
from python_runner.engines.hf.watch import PythonCollector
from python_runner.engines.llama.llamacpp import (
    build_text,
    ggml_version,
    instruction_sets,
    version_text,
)
from python_runner.engines.scoring import ScoreRequest, TokenScores
from python_runner.engines.stamp_cost import median_cost_ns
from python_runner.engines.worker.embedded import EmbeddedEngine

SPEC = EngineSpec(
    name="llama-cpp-python",
    title="llama-cpp-python",
    language=Language.PYTHON,
    reach=Reach.EMBEDDED,
    # The file that the first example of its README downloads.
    formats=gguf_formats(shipped="q8_0"),
    model_format="gguf",
    can_ignore_end_of_sequence=True,
    reports_token_ids=True,
    takes_token_ids=True,
    # `Llama(n_ctx=512)` is its default; its threads are half the logical processors.
    shipped=Shipped(context=512),
    scores=True,
)

MICROBATCH = 512
"""Most prompt tokens computed at once, as in our binding."""
_DAMAGED = "Make the GGUF file anew: delete it and run again."


def prepare(progress: Progress) -> None:
    """Fetch the package and build llama.cpp. Raises SetupError."""
    require_packages(NEEDS, SPEC.title)
    llama_cpp_python(progress)


def load(settings: LaunchSettings) -> CtypesModel:
    """Load the model in the current process. Raises EngineStartError."""
    binding = llama_cpp_python(SilentProgress())  # `prepare` has built everything
    package: Any = import_extension(binding.folder, "llama_cpp")
    binding.check(library_of(package))
    gguf = str(gguf_of(SPEC, settings))
    try:
        llama = package.Llama(
            gguf,
            n_ctx=settings.context,
            n_batch=settings.context,
            n_ubatch=min(settings.context, MICROBATCH),
            n_threads=settings.threads,
            n_threads_batch=settings.threads,
            # As in our binding: of a sliding window only the window is kept.
            swa_full=False,
        )
    except ValueError as error:  # its only word for whatever the library refused
        raise EngineStartError(f"{SPEC.title}: {error}", hint=_DAMAGED) from error
    description = EngineDescription(
        version=package.__version__,
        build={
            **binding_facts(binding, package.llama_print_system_info().decode()),
            "prompt tokens computed at once": str(package.llama_n_ubatch(llama.ctx)),
            "threads that compute": str(package.llama_n_threads(llama.ctx)),
        },
    )
    return CtypesModel(package, llama, lambda: with_weights(description, SPEC, settings))


def library_of(package: Any) -> str:
    """The path of the library that the imported package has loaded."""
    path: str = package.llama_cpp._lib._name  # noqa: SLF001 - no public name
    return path


def binding_facts(binding: CtypesBinding, system_info: str) -> dict[str, str]:
    """What both rows of the package say of the library and of what calls it."""
    recipe = recipe_of(binding.prefix)
    features = instruction_sets(system_info)
    return {
        **build_text(recipe),
        "llama.cpp": version_text(recipe),
        LIBRARY: library_fact(binding.prefix),
        "binding": f"ctypes, Python {platform.python_version()}",
        "instruction sets": features,
        PROMPT_CACHE: "off",
        **ggml_facts(
            version=ggml_version(recipe, ggml_number(binding.prefix)),
            features=features,
            keeps_threads=False,
            is_mapped=True,
        ),
    }


@dataclass(kw_only=True)
class _Answer:
    """What has come of one request. Keeps the work between two tokens small."""

    ids: list[int] = field(default_factory=list)
    times_ns: list[int] = field(default_factory=list)

    def add(self, token: int, chosen_ns: int) -> int:
        """Keep a token; returns how many there are."""
        self.times_ns.append(chosen_ns)
        self.ids.append(token)
        return len(self.ids)


class CtypesModel:
    """Implements `in_process.InProcessModel`."""

    def __init__(self, package: Any, llama: Any, describe: Callable[[], EngineDescription]) -> None:
        """Take over a loaded model.

        Args:
            package: the imported `llama_cpp`.
            llama: its `Llama`.
            describe: says what it is; asked for later, since it reads the file.
        """
        self._package = package
        self._llama = llama
        self._describe = describe
        self._vocabulary = package.llama_model_get_vocab(llama.model)
        self._collector = PythonCollector()
        self._collector.watch()

    @property
    def description(self) -> EngineDescription:
        return self._describe()

    def token_ids(self, text: str) -> tuple[int, ...]:
        # BOS where the model has one: the library decides.
        return tuple(self._llama.tokenize(text.encode(), add_bos=True, special=True))

    def generate(self, request: GenerateRequest) -> Generation:
        package, llama, answer = self._package, self._llama, _Answer()
        package.llama_perf_context_reset(llama.ctx)
        gc_ns, stopped = self._collector.spent_ns, False
        requested_ns = now_ns()
        # Else it goes on from what this prompt shares with the one before.
        llama.reset()
        for token in llama.generate(request.prompt_ids, temp=0.0):
            chosen_ns = now_ns()
            if not request.ignore_end_of_sequence and self._ends(token):
                stopped = True
                break
            if answer.add(token, chosen_ns) == request.new_tokens:
                break
        gc_ns = self._collector.spent_ns - gc_ns
        generated_ns = now_ns()
        # An answer of a set length may end within a character.
        text = llama.detokenize(answer.ids, special=True).decode(errors="replace")
        ended_ns = now_ns()
        return Generation(
            requested_ns=requested_ns,
            chunk_ns=tuple(answer.times_ns),
            chunk_tokens=(1,) * len(answer.ids),
            ended_ns=ended_ns,
            prompt_tokens=len(request.prompt_ids),
            output_tokens=len(answer.ids),
            stop=StopReason.END_OF_SEQUENCE if stopped else StopReason.LENGTH,
            text=text,
            token_ids=tuple(answer.ids),
            engine_timings={
                **library_timings(package, llama),
                "gc_ns": float(gc_ns),
                "detokenise_ns": float(ended_ns - generated_ns),
            },
        )

    def score(self, request: ScoreRequest) -> TokenScores:
        """One token after the other, as they are generated."""
        llama = self._llama
        llama.reset()
        llama.eval(request.prompt_ids)
        rows = []
        for token in request.answer_ids:
            rows.append(self._scored(token, request.top))
            if len(rows) < len(request.answer_ids):
                llama.eval((token,))
        logprobs, top_ids, top_logprobs = zip(*rows, strict=True)
        return TokenScores(logprobs=logprobs, top_ids=top_ids, top_logprobs=top_logprobs)

    def stamp_cost_ns(self) -> float:
        answer = _Answer()
        return median_cost_ns(lambda: answer.add(1, now_ns()))

    def close(self) -> None:
        self._llama.close()

    def _ends(self, token: int) -> bool:
        ends: bool = self._package.llama_vocab_is_eog(self._vocabulary, token)
        return ends

    def _scored(self, token: int, top: int) -> tuple[float, tuple[int, ...], tuple[float, ...]]:
        """Of this token and of the best, by the logits of the last token that was computed."""
        import numpy as np
        from scipy.special import log_softmax

        found = self._package.llama_get_logits_ith(self._llama.ctx, -1)
        logits = np.ctypeslib.as_array(found, shape=(self._llama.n_vocab(),))
        logprobs = log_softmax(logits.astype(np.float64))
        best = np.argsort(-logprobs, kind="stable")[:top]  # the lowest id of equals
        return float(logprobs[token]), tuple(best.tolist()), tuple(logprobs[best].tolist())


def library_timings(package: Any, llama: Any) -> dict[str, float]:
    """llama.cpp's own figures of the last request: its passes, and nothing of Python's."""
    found = package.llama_perf_context(llama.ctx)
    return {
        "prompt_eval_ms": found.t_p_eval_ms,
        "eval_ms": found.t_eval_ms,
        "prompt_eval_count": float(found.n_p_eval),
        "eval_count": float(found.n_eval),
    }


ENGINE = EmbeddedEngine(
    spec=SPEC,
    prepare=prepare,
    loader="python_runner.engines.llama.llama_cpp_python:load",
    environment=lambda _settings: llama_cpp_python(SilentProgress()).environment,
)

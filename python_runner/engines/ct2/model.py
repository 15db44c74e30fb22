"""A model that CTranslate2 has loaded: asked, stamped, scored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from python_runner.common.clock import now_ns
from python_runner.engines.contract import (
    EngineDescription,
    GenerateRequest,
    Generation,
    StopReason,
)
from python_runner.engines.scoring import ScoreRequest, TokenScores
from python_runner.engines.stamp_cost import median_cost_ns
from python_runner.models import ReferenceTokenizer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PACKAGE = "ctranslate2"


@dataclass(kw_only=True)
class _Stamps:
    """The tokens of one answer as they come. Keeps the work between two tokens small."""

    times_ns: list[int] = field(default_factory=list)
    ids: list[int] = field(default_factory=list)

    def chosen(self, step: Any) -> bool:
        """A token has been chosen; False: go on."""
        self.times_ns.append(now_ns())
        self.ids.append(step.token_id)
        return False


class Ct2Model:
    """Implements `in_process.InProcessModel`."""

    def __init__(
        self,
        generator: Any,
        *,
        pieces: list[str],
        tokenizer: ReferenceTokenizer,
        end_ids: tuple[int, ...],
        window: int | None,
        build: Callable[[], Mapping[str, str]],
    ) -> None:
        self._generator = generator
        self._pieces = pieces
        self._tokenizer = tokenizer
        self._end_ids = end_ids
        self._window = window
        self._build = build

    @property
    def description(self) -> EngineDescription:
        return EngineDescription(version=version(PACKAGE), build=self._build())

    def token_ids(self, text: str) -> tuple[int, ...]:
        # It has no tokenizer: its users take the model's own, as this is.
        return self._tokenizer.encode(text)

    def generate(self, request: GenerateRequest) -> Generation:
        stamps = _Stamps()
        requested_ns = now_ns()
        self._generator.generate_batch(
            [[self._pieces[number] for number in request.prompt_ids]],
            max_length=request.new_tokens,
            sampling_topk=1,
            include_prompt_in_result=False,
            # None at all: an end of sequence is a token like any other.
            end_token=[] if request.ignore_end_of_sequence else list(self._end_ids),
            callback=stamps.chosen,
        )
        returned_ns = now_ns()
        ids, times = stamps.ids, stamps.times_ns
        stopped = not request.ignore_end_of_sequence and ids[-1] in self._end_ids
        if stopped:
            # The mark that ends an answer is not a part of it.
            ids, times = ids[:-1], times[:-1]
        text = self._tokenizer.decode(ids)
        ended_ns = now_ns()
        return Generation(
            requested_ns=requested_ns,
            chunk_ns=tuple(times),
            chunk_tokens=(1,) * len(times),
            ended_ns=ended_ns,
            prompt_tokens=len(request.prompt_ids),
            output_tokens=len(ids),
            stop=StopReason.END_OF_SEQUENCE if stopped else StopReason.LENGTH,
            text=text,
            token_ids=tuple(ids),
            engine_timings={"detokenise_ns": float(ended_ns - returned_ns)},
        )

    def score(self, request: ScoreRequest) -> TokenScores:
        import numpy as np

        # The last token is scored, and nothing that would follow it.
        ids = [*request.prompt_ids, *request.answer_ids[:-1]]
        logprobs = self._logprobs(ids)[len(request.prompt_ids) - 1 :]
        best = np.argsort(-logprobs, axis=-1, kind="stable")[:, : request.top]
        given = np.array(request.answer_ids)[:, None]
        return TokenScores(
            logprobs=tuple(np.take_along_axis(logprobs, given, axis=-1)[:, 0].tolist()),
            top_ids=tuple(tuple(row) for row in best.tolist()),
            top_logprobs=tuple(
                tuple(row) for row in np.take_along_axis(logprobs, best, axis=-1).tolist()
            ),
        )

    def _logprobs(self, ids: list[int]) -> NDArray[np.float32]:
        """Of all pieces after each of `ids`, shape (ids, vocabulary)."""
        import numpy as np

        if self._window is None or len(ids) <= self._window:
            found = np.array(self._generator.forward_batch([ids], return_log_probs=True))
            return np.asarray(found[0], dtype=np.float32)
        # Within one pass each token sees all before it; one by one, what is in the window.
        (answer,) = self._generator.generate_batch(
            [[self._pieces[number] for number in ids]],
            max_length=len(ids),
            sampling_topk=1,
            include_prompt_in_result=True,
            end_token=[],
            return_logits_vocab=True,
        )
        logits = np.array([np.array(step) for step in answer.logits[0]], dtype=np.float32)
        highest = logits.max(axis=-1, keepdims=True)
        total = np.exp(logits - highest).sum(axis=-1, keepdims=True)
        return np.asarray(logits - highest - np.log(total), dtype=np.float32)

    def stamp_cost_ns(self) -> float:
        stamps, step = _Stamps(), _Step()
        return median_cost_ns(lambda: stamps.chosen(step))

    def close(self) -> None:
        self._generator.unload_model()


@dataclass(frozen=True)
class _Step:
    """Stands for what the callback is given."""

    token_id: int = 1

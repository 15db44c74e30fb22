"""mistral.rs in process, with a time stamp for every token.

Times are nanoseconds of CLOCK_MONOTONIC, the same numbers as `time.monotonic_ns()` gives.
No function holds Python's global lock while mistral.rs works.
"""

from collections.abc import Sequence
from typing import Literal, final

__all__ = ["Answer", "MistralRsError", "Model", "Scores", "watch_cost_ns"]

class MistralRsError(RuntimeError):
    """mistral.rs could not do what was asked."""

@final
class Answer:
    """One answer."""

    @property
    def ids(self) -> list[int]:
        """The tokens; the one that stopped the answer is not among them."""
    @property
    def token_ns(self) -> list[int]:
        """When each token was chosen, as long as `ids`."""
    @property
    def stopped(self) -> bool:
        """Whether one of the stop tokens ended it."""
    @property
    def requested_ns(self) -> int:
        """Just before the request went to the engine."""
    @property
    def ended_ns(self) -> int:
        """The engine had told that the answer is complete."""
    @property
    def prefill_ns(self) -> int:
        """Until the logits of the first token were there, the way to the engine included."""
    @property
    def decode_ns(self) -> int:
        """Spent on the logits of all further tokens, and on what the engine does in between."""
    @property
    def sample_ns(self) -> int:
        """Spent in the engine's sampler, our look at the logits included."""
    @property
    def total_prompt_time_sec(self) -> float:
        """The engine's own figure, in seconds."""
    @property
    def total_completion_time_sec(self) -> float:
        """The engine's own figure, in seconds."""

@final
class Scores:
    """What a model makes of given tokens. Logarithms are natural."""

    @property
    def logprobs(self) -> list[float]:
        """Of the given tokens."""
    @property
    def top_ids(self) -> list[list[int]]:
        """For each of them, the best tokens of its place, best first."""
    @property
    def top_logprobs(self) -> list[list[float]]:
        """Theirs."""

@final
class Model:
    """A folder of safetensors, loaded onto the CPU.

    One sequence at a time, no prefix cache. The threads are those of rayon's pool
    (`RAYON_NUM_THREADS`), and the context is that of the model's configuration.
    """

    def __new__(
        cls,
        folder: str,
        *,
        dtype: Literal["auto", "bf16", "f16", "f32"],
        isq: str | None = None,
    ) -> Model:
        """Load the model.

        Args:
            folder: with config.json, tokenizer.json and the weights.
            dtype: what the weights are held in; `auto` leaves it to mistral.rs.
            isq: what the matrices are quantised to instead, by mistral.rs's names (`q8_0`),
                the output head included; embedding and norms stay as they are.

        Raises:
            ValueError: there is no such `dtype` or `isq`.
            MistralRsError: the folder holds no model that mistral.rs can load.
        """
    @property
    def dtype(self) -> str:
        """What all that is not quantised is held in; that which `auto` came to."""
    def tokenize(self, text: str) -> list[int]:
        """The ids of `text`, BOS included if the tokenizer adds it."""
    def detokenize(self, ids: Sequence[int]) -> str:
        """The text of the ids, markers written out."""
    def generate(
        self, prompt_ids: Sequence[int], *, new_tokens: int, stop_ids: Sequence[int]
    ) -> Answer:
        """Answer greedily; of equal logits the highest id wins.

        Args:
            prompt_ids: the whole prompt, BOS included.
            new_tokens: most tokens of the answer.
            stop_ids: tokens that end it; with none, an end of sequence is a token like others.

        Raises:
            MistralRsError: the engine failed, or chose other tokens than the best ones.
        """
    def score(self, prompt_ids: Sequence[int], answer_ids: Sequence[int], *, top: int) -> Scores:
        """How likely given tokens are, each after all before it, computed in one pass.

        Args:
            prompt_ids: what they follow, BOS included.
            answer_ids: the tokens.
            top: how many of the best tokens of each place are told.

        Raises:
            MistralRsError: the engine failed.
        """
    def generate_unwatched(self, prompt_ids: Sequence[int], *, new_tokens: int) -> tuple[int, int]:
        """The same request without a look at its tokens, to see what looking costs.

        Returns when it was sent to the engine and when the engine told that it is complete.

        Raises:
            MistralRsError: the engine failed.
        """

def watch_cost_ns(*, vocabulary: int) -> int:
    """What watching for a token takes from the engine, in nanoseconds: the median of 101.

    It runs the very code of `Model.generate`, which looks for the best of `vocabulary` logits.
    """

"""llama.cpp in process, with a time stamp for every token.

Times are nanoseconds of CLOCK_MONOTONIC. Every function may raise LlamaError; what
llama.cpp says besides goes to standard error.
"""

from collections.abc import Sequence
from typing import final

import numpy as np
from numpy.typing import NDArray

class LlamaError(RuntimeError):
    """llama.cpp could not do what was asked; the message has its reason where it logged one."""

@final
class Facts:
    """What is known of a loaded model and its context."""

    @property
    def description(self) -> str:
        """Architecture, size and type of the weights, in llama.cpp's words."""
    @property
    def parameters(self) -> int:
        """Number of parameters."""
    @property
    def bytes(self) -> int:
        """Size of the weights in bytes."""
    @property
    def layers(self) -> int: ...
    @property
    def width(self) -> int:
        """Size of the hidden state."""
    @property
    def vocabulary(self) -> int:
        """Number of tokens in the vocabulary."""
    @property
    def sliding_window(self) -> int:
        """In tokens; 0 if the model has none."""
    @property
    def context(self) -> int:
        """In tokens, as llama.cpp rounded it up."""
    @property
    def batch(self) -> int:
        """Most prompt tokens that are given at once."""
    @property
    def microbatch(self) -> int:
        """Most prompt tokens that are computed at once."""

@final
class Answer:
    """One answer."""

    @property
    def ids(self) -> NDArray[np.int64]:
        """The tokens, shape (tokens,); the end of sequence that stopped it is not among them."""
    @property
    def token_ns(self) -> NDArray[np.int64]:
        """When each token was chosen, shape (tokens,)."""
    @property
    def margins(self) -> NDArray[np.float32]:
        """Lead of the best logit over the second, for every choice; empty unless asked for."""
    @property
    def stopped(self) -> bool:
        """Whether an end of sequence ended it."""
    @property
    def requested_ns(self) -> int:
        """When `generate` began its work."""
    @property
    def prefill_end_ns(self) -> int:
        """When the logits after the prompt's last token were there."""
    @property
    def decode_ns(self) -> int:
        """Spent on the logits of all tokens but the first."""
    @property
    def sample_ns(self) -> int:
        """Spent on choosing the tokens that were kept."""
    @property
    def ended_ns(self) -> int: ...

@final
class Scores:
    """What a model makes of given tokens. Logarithms are natural."""

    @property
    def logprobs(self) -> NDArray[np.float64]:
        """Of the given tokens, shape (tokens,)."""
    @property
    def top_ids(self) -> NDArray[np.int64]:
        """The best tokens of each place, best first, shape (tokens, top)."""
    @property
    def top_logprobs(self) -> NDArray[np.float64]:
        """Theirs, shape (tokens, top)."""

@final
class Vocabulary:
    """The tokenizer of a GGUF file, loaded without its weights."""

    def __init__(self, path: str) -> None: ...
    def tokenize(self, text: str, *, add_bos: bool) -> list[int]:
        """As `Model.tokenize`."""

@final
class Model:
    """A GGUF file that is loaded onto the CPU.

    Flash attention is off, the cache of keys and values is f16, and nothing is run for
    warming up.
    """

    def __init__(
        self,
        path: str,
        *,
        threads: int,
        context: int,
        use_mmap: bool = True,
        keep_threads: bool = True,
    ) -> None:
        """Load the file.

        Args:
            path: of the GGUF file.
            threads: for the prompt and for the answer alike.
            context: in tokens, prompt and answer together.
            use_mmap: compute with the file's own pages; else it is read into memory.
            keep_threads: hand ggml a pool of threads that lives as long as the model; else,
                without OpenMP, it starts them anew for each token.
        """
    def tokenize(self, text: str, *, add_bos: bool) -> list[int]:
        """The ids of `text`; markers such as <start_of_turn> in it become their own token.

        Args:
            text: what to read.
            add_bos: put BOS before it, if the model is made for that.
        """
    def detokenize(self, ids: Sequence[int]) -> bytes:
        """The bytes of the ids, markers written out; an answer may end within a character."""
    def generate(
        self,
        prompt_ids: Sequence[int],
        *,
        new_tokens: int,
        ignore_eos: bool,
        want_margins: bool = False,
    ) -> Answer:
        """Answer greedily; of equal logits the lowest id wins. Nothing is kept between calls.

        Args:
            prompt_ids: the whole prompt, BOS included.
            new_tokens: most tokens of the answer.
            ignore_eos: take an end of sequence for a token like any other and go on.
            want_margins: fill `Answer.margins`; makes every token slower.
        """
    def score(self, prompt_ids: Sequence[int], answer_ids: Sequence[int], *, top: int) -> Scores:
        """How likely given tokens are, each after all before it, computed in one pass.

        Args:
            prompt_ids: what they follow, BOS included.
            answer_ids: the tokens.
            top: how many of the best tokens of each place are told.
        """
    def describe(self) -> Facts: ...

def system_info() -> str:
    """Instruction sets and features that the libraries were compiled with, as they say it."""

def stamp_cost_ns() -> float:
    """What stamping and keeping a token costs, in nanoseconds: the median of nine rounds.

    The rounds run the very code of `Model.generate`, and take some milliseconds.
    """

def build_info() -> dict[str, str]:
    """`version` and `commit` of llama.cpp, version of `ggml`, and the `compiler`."""

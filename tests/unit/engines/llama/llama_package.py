"""The package `llama_cpp` on paper: its classes and functions, as far as engines touch them."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

VOCABULARY = 16
END = 1
"""The one token that ends an answer."""


class PaperLlama:
    """Goes on counting: after 5 comes 6. Keeps what it computed, as the package does."""

    def __init__(self, model_path: str = "", **options: Any) -> None:
        self.options = {"model_path": model_path, **options}
        self.computed: list[int] = []
        self.ctx = self
        self.model = self

    @property
    def n_tokens(self) -> int:
        return len(self.computed)

    def n_vocab(self) -> int:
        return VOCABULARY

    def reset(self) -> None:
        self.computed.clear()

    def eval(self, tokens: Sequence[int]) -> None:
        self.computed.extend(tokens)

    def tokenize(self, text: bytes, *, add_bos: bool, special: bool) -> list[int]:
        return [2, *text] if add_bos and special else list(text)

    def detokenize(self, tokens: Sequence[int], *, special: bool) -> bytes:
        return b" ".join(b"%d" % token for token in tokens)

    def generate(self, tokens: Sequence[int], **_: Any) -> Iterator[int]:
        """The whole prompt, unless the last one began alike: then the package skips that part."""
        new = list(tokens)[self.n_tokens :]
        while True:
            self.eval(new)
            token = (self.computed[-1] + 1) % VOCABULARY
            yield token
            new = [token]

    def create_completion(
        self, prompt: Sequence[int], *, max_tokens: int, stream: bool
    ) -> Iterator[dict[str, Any]] | dict[str, Any]:
        """Counts nothing in a stream, and goes on to the next token that 3 divides."""
        if not stream:
            return {"usage": {"completion_tokens": max_tokens}}
        return self._stream(prompt, max_tokens)

    def close(self) -> None:
        self.options.clear()

    def _stream(self, prompt: Sequence[int], max_tokens: int) -> Iterator[dict[str, Any]]:
        finish = "length"
        for count, token in enumerate(self.generate(prompt), start=1):
            if token == END:
                finish = "stop"
                break
            yield {"choices": [{"text": f"{token} ", "finish_reason": None}]}
            if count >= max_tokens and token % 3 == 0:
                break
        yield {"choices": [{"text": "", "finish_reason": finish}]}


def package(library: str = "") -> Any:
    """The module. Logits favour the token after the last one, by 1 for each step nearer."""

    def logits(llama: PaperLlama, _: int) -> Any:
        best = (llama.computed[-1] + 1) % VOCABULARY
        row = [-abs(token - best) for token in range(VOCABULARY)]
        return ctypes.cast((ctypes.c_float * VOCABULARY)(*row), ctypes.POINTER(ctypes.c_float))

    return SimpleNamespace(
        __version__="0.3.36",
        Llama=PaperLlama,
        llama_cpp=SimpleNamespace(_lib=SimpleNamespace(_name=library)),
        llama_get_logits_ith=logits,
        llama_model_get_vocab=lambda model: model,
        llama_n_threads=lambda _: 2,
        llama_n_ubatch=lambda _: 64,
        llama_perf_context=lambda llama: SimpleNamespace(
            t_p_eval_ms=2.0, t_eval_ms=3.0, n_p_eval=llama.n_tokens, n_eval=1
        ),
        llama_perf_context_reset=lambda _: None,
        llama_print_system_info=lambda: b"CPU : AVX2 = 1 | OPENMP = 1 | AMX_INT8 = 0 |",
        llama_vocab_is_eog=lambda _, token: token == END,
    )

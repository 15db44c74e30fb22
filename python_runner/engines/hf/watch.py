"""Where the time of one `generate` of transformers goes, seen from outside.

The model's own call is hooked, and the streamer is told of each token: two reads of the clock
for each, and nothing is computed or copied. What Python's garbage collector takes is left out
of the part in which it ran, and is a part of its own.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from python_runner.common.clock import now_ns

if TYPE_CHECKING:
    import torch

_GENERATIONS = 3
_PARTS = ("setup_ns", "prefill_ns", "loop_ns", "decode_ns", "sample_ns", "detokenise_ns")


class PythonCollector:
    """What Python's garbage collector has done in this process since `watch`."""

    def __init__(self) -> None:
        self.spent_ns = 0
        self.collections = [0] * _GENERATIONS
        self._begun_ns = 0

    def watch(self) -> None:
        """From now on be told of every collection, forced ones too. Costs nothing between them."""
        gc.callbacks.append(self._told)

    def _told(self, phase: str, info: Mapping[str, int]) -> None:
        if phase == "start":
            self._begun_ns = now_ns()
        else:
            self.spent_ns += now_ns() - self._begun_ns
            self.collections[info["generation"]] += 1


class GenerateWatch:
    """Stamps the tokens of one answer and sums up what went before each. Used once.

    A streamer, as `generate` knows them: it is given the prompt first, then each token.
    """

    def __init__(self, collector: PythonCollector, *, force_gc: bool = False) -> None:
        """Begin now.

        Args:
            collector: of this process.
            force_gc: collect garbage after every token, to see that it is seen.
        """
        self.times_ns: list[int] = []
        self.ids: list[int] = []
        self.parts = dict.fromkeys(_PARTS, 0)
        self._force_gc = force_gc
        self._prompt_seen = False
        self._forwards = 0
        self._collector = collector
        self._collections = list(collector.collections)
        self._first_gc_ns = self._gc_ns = collector.spent_ns
        self.requested_ns = self._last_ns = now_ns()

    @contextmanager
    def hooked(self, model: Any) -> Iterator[None]:
        """Within the block, see every pass through `model` (a torch module)."""
        hooks = (
            model.register_forward_pre_hook(self._forward_begins),
            model.register_forward_hook(self._forward_ended),
        )
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def put(self, tokens: torch.Tensor) -> None:
        """The streamer's protocol: the prompt, and then a token that was chosen."""
        if not self._prompt_seen:
            self._prompt_seen = True
            return
        self.times_ns.append(self._lap("sample_ns"))
        self.ids.append(int(tokens.item()))
        if self._force_gc:
            gc.collect()

    def end(self) -> None:
        """The streamer's protocol has it; there is nothing to do."""

    def generated(self) -> None:
        """`generate` has returned."""
        self._lap("loop_ns")

    def detokenised(self) -> int:
        """The text is there; returns when."""
        return self._lap("detokenise_ns")

    def timings(self) -> dict[str, float]:
        """All parts, in ns; with `gc_ns` they add up to the time since the beginning.

        `gc_gen0_collections` and so on count the collector's runs by Python's generations.
        """
        counts = zip(self._collector.collections, self._collections, strict=True)
        return {
            "tokenise_ns": 0.0,  # the prompt comes as ids
            **{name: float(spent) for name, spent in self.parts.items()},
            "gc_ns": float(self._gc_ns - self._first_gc_ns),
            **{
                f"gc_gen{generation}_collections": float(after - before)
                for generation, (after, before) in enumerate(counts)
            },
        }

    def _forward_begins(self, *_: object) -> None:
        self._lap("loop_ns" if self._forwards else "setup_ns")

    def _forward_ended(self, *_: object) -> None:
        self._forwards += 1
        self._lap("decode_ns" if self._forwards > 1 else "prefill_ns")

    def _lap(self, part: str) -> int:
        now, gc_ns = now_ns(), self._collector.spent_ns
        self.parts[part] += now - self._last_ns - (gc_ns - self._gc_ns)
        self._last_ns, self._gc_ns = now, gc_ns
        return now

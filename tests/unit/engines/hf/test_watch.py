"""Where the time of a `generate` goes, on a model of paper."""

from __future__ import annotations

import gc
from types import SimpleNamespace as Bag
from typing import Any

import pytest

from python_runner.engines.hf.watch import GenerateWatch, PythonCollector

PARTS = ("setup_ns", "prefill_ns", "loop_ns", "decode_ns", "sample_ns", "detokenise_ns", "gc_ns")


def tokens(value: int) -> Any:
    return Bag(item=lambda: value)


class PaperModel:
    """Calls its hooks as torch does."""

    def __init__(self) -> None:
        self.before: list[Any] = []
        self.after: list[Any] = []

    def register_forward_pre_hook(self, hook: Any) -> Any:
        self.before.append(hook)
        return Bag(remove=lambda: self.before.remove(hook))

    def register_forward_hook(self, hook: Any) -> Any:
        self.after.append(hook)
        return Bag(remove=lambda: self.after.remove(hook))

    def forward(self) -> None:
        for hook in self.before:
            hook(self, ())
        for hook in self.after:
            hook(self, (), None)


@pytest.fixture
def collector() -> Any:
    made = PythonCollector()
    made.watch()
    yield made
    gc.callbacks.pop()


def answer(watch: GenerateWatch, count: int) -> dict[str, float]:
    model = PaperModel()
    prompt: Any = Bag(item=lambda: pytest.fail("the prompt is no token"))
    with watch.hooked(model):
        watch.put(prompt)
        for value in range(count):
            model.forward()
            watch.put(tokens(value))
        watch.end()
    assert not model.before + model.after
    watch.generated()
    return watch.timings()


def test_the_prompt_gets_no_stamp(collector: PythonCollector) -> None:
    watch = GenerateWatch(collector)
    answer(watch, 3)
    assert watch.ids == [0, 1, 2]
    assert len(watch.times_ns) == 3
    assert watch.times_ns == sorted(watch.times_ns)


def test_the_parts_are_the_whole(collector: PythonCollector) -> None:
    watch = GenerateWatch(collector)
    answer(watch, 3)
    ended_ns = watch.detokenised()
    found = watch.timings()
    assert sum(found[name] for name in PARTS) == ended_ns - watch.requested_ns
    assert all(found[name] >= 0 for name in PARTS)
    assert found["prefill_ns"] > 0
    assert found["decode_ns"] > 0


def test_forced_collections_are_seen(collector: PythonCollector) -> None:
    gc.disable()
    try:
        free = answer(GenerateWatch(collector), 4)
        forced = answer(GenerateWatch(collector, force_gc=True), 4)
    finally:
        gc.enable()
    assert free["gc_ns"] == free["gc_gen2_collections"] == 0
    assert forced["gc_ns"] > 0
    assert forced["gc_gen2_collections"] == 4
    assert forced["gc_gen0_collections"] == 0

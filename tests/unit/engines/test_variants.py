"""Variants: a stack with knobs turned is a stack of its own, and says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from python_runner.common.clock import NS_PER_MS
from python_runner.common.errors import UsageError
from python_runner.engines import mock
from python_runner.engines.contract import Engine
from python_runner.engines.mock import MockEngine, MockScript
from python_runner.engines.table import engine, is_brought
from python_runner.engines.tuning import Tunable, settings_of
from python_runner.engines.variants import PRECISIONS, all_knobs, one_of, variant_of, variant_spec
from python_runner.study import Study
from tests.unit.engines.helpers import request_for, settings_for


class TunableMock(MockEngine):
    """A mock with one knob of its own: how long it takes to the first token."""

    knobs: Mapping[str, str] = {"ttft": "milliseconds to the first token: 10 or 20"}

    def tuned(self, knobs: Mapping[str, str]) -> Engine:
        ms = one_of("ttft", knobs["ttft"], ("10", "20"))
        spec = variant_spec(self.spec, knobs, [f"TTFT {ms} ms"])
        return TunableMock(spec, MockScript(ttft_ns=int(ms) * NS_PER_MS))


TUNABLE = TunableMock(replace(mock.GO.spec, name="tunable", title="Tunable"), MockScript())


def test_the_words_for_a_precision_are_those_of_a_study() -> None:
    assert get_args(Study.model_fields["precision"].annotation) == PRECISIONS


def test_threads_and_context_work_for_every_engine(tmp_path: Path) -> None:
    found = engine("mock-go@threads=1+context=128")
    assert found.spec.name == "mock-go@context=128+threads=1"
    assert found.spec.title == "mock Go, context 128, 1 thread"
    settings = settings_for(tmp_path, threads=4, context=64)
    asked = settings_of(found, settings)
    assert (asked.threads, asked.context) == (1, 128)
    assert replace(asked, threads=4, context=64) == settings
    with found.start(settings, tmp_path / "log") as running:
        assert running.description.build["threads"] == "1"


def test_others_keep_the_settings_of_all(tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    assert settings_of(engine("mock-go"), settings) is settings


def test_a_precision_of_its_own_overrules_the_studys(tmp_path: Path) -> None:
    found = engine("llama.cpp@precision=8bit")
    assert {found.spec.formats[word].gguf for word in PRECISIONS} == {"q8_0"}
    assert settings_of(found, settings_for(tmp_path)).precision == "8bit"
    assert found.spec.title.endswith(", 8bit")


def test_a_knob_of_the_engine_itself(tmp_path: Path) -> None:
    assert isinstance(TUNABLE, Tunable)
    found = variant_of(TUNABLE, {"ttft": "20"})
    assert (found.spec.name, found.spec.title) == ("tunable@ttft=20", "Tunable, TTFT 20 ms")
    with found.start(settings_for(tmp_path), tmp_path / "log") as running:
        answer = running.generate(request_for(2))
    assert answer.chunk_ns[0] - answer.requested_ns == 20 * NS_PER_MS


def test_both_kinds_of_knobs_together() -> None:
    found = variant_of(TUNABLE, {"threads": "2", "ttft": "10"})
    assert found.spec.name == "tunable@threads=2+ttft=10"
    assert found.spec.title == "Tunable, TTFT 10 ms, 2 threads"
    assert found.spec.plain_title == "Tunable"


def test_what_runs_may_have_a_label_and_stays_a_variant() -> None:
    spec = variant_of(TUNABLE, {"ttft": "10"}).spec
    assert spec.labelled("Tunable (C++ engine)").title == "Tunable (C++ engine), TTFT 10 ms"
    assert spec.labelled("") == spec
    assert TUNABLE.spec.labelled("Other").title == "Other"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("mock-go@gogc=off", "no knob 'gogc'"),
        ("mock-go@threads=0", "threads cannot be '0'"),
        ("mock-go@threads=two", "threads cannot be 'two'"),
        ("mock-go@context=-1", "cannot be read"),
        ("mock-go@precision=fp7", "precision of mock-go cannot be 'fp7'"),
        ("olama@threads=1", "unknown engine 'olama'"),
    ],
)
def test_a_mistake_is_told(name: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as raised:
        engine(name)
    assert raised.value.hint


def test_a_value_that_a_knob_does_not_take() -> None:
    with pytest.raises(UsageError, match="ttft cannot be '30'"):
        variant_of(TUNABLE, {"ttft": "30"})


def test_the_knobs_of_an_engine_are_listed_with_its_own_first() -> None:
    assert list(all_knobs(TUNABLE)) == ["ttft", "threads", "precision", "context"]


def test_a_variant_of_what_the_user_brings_is_brought_too() -> None:
    assert is_brought("ollama-installed@threads=1")
    assert not is_brought("ollama@threads=1")

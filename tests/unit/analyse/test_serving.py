"""The price of serving: which stacks are put beside each other, and what comes of it."""

from __future__ import annotations

import pytest

from python_runner.analyse.serving import METRICS, price_of_serving
from python_runner.engines.table import embedded_twins
from tests.golden.frames import LLAMA_CPP, OLLAMA, TRANSFORMERS, build_frames, rename

TWINS = {"llama-server": "llama.cpp", "ollama": "go-driver"}
SERVER = rename(LLAMA_CPP, name="llama-server", title="llama-server", reach="served", e2e_s=15.8)


def test_the_served_stack_stands_over_the_embedded_one() -> None:
    frames = build_frames([LLAMA_CPP, TRANSFORMERS, SERVER])
    prices = price_of_serving(frames.samples, frames.conditions, TWINS)
    assert list(prices["metric"]) == list(METRICS)
    assert set(prices["stack_left"]) == {"llama-server"}
    assert set(prices["stack_right"]) == {"llama.cpp"}
    assert prices["ratio"].iloc[0] == pytest.approx(2.0, rel=0.05)
    assert prices["verdict"].iloc[0] == "slower"


def test_the_order_of_measurement_does_not_matter() -> None:
    first, second = (
        price_of_serving(frames.samples, frames.conditions, TWINS)["ratio"].iloc[0]
        for frames in (build_frames([LLAMA_CPP, SERVER]), build_frames([SERVER, LLAMA_CPP]))
    )
    assert first == pytest.approx(second)


def test_without_both_ways_there_is_no_price() -> None:
    frames = build_frames([LLAMA_CPP, OLLAMA])
    assert price_of_serving(frames.samples, frames.conditions, TWINS).empty
    nothing = build_frames([])
    assert price_of_serving(nothing.samples, nothing.conditions, TWINS).empty


def test_variants_are_compared_with_the_same_variant() -> None:
    embedded = [rename(LLAMA_CPP, name=f"llama.cpp{knobs}") for knobs in ("", "@threads=1")]
    frames = build_frames([*embedded, rename(SERVER, name="llama-server@threads=1")])
    prices = price_of_serving(frames.samples, frames.conditions, TWINS, metrics=("e2e_ms",))
    assert list(prices["stack_right"]) == ["llama.cpp@threads=1"]


def test_every_language_has_an_engine_in_both_ways() -> None:
    twins = embedded_twins()
    assert {"llama-server", "ollama", "mistral.rs-server", "transformers-serve"} <= twins.keys()

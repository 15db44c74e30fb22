"""From the client's columns to requests."""

from __future__ import annotations

import json

import numpy as np

from python_runner.measure.load.finished import finished_of, timings_of
from tests.unit.load_builders import FakeRequest, finished
from tests.unit.measure.load.fakes import NOTHING, record_of


def test_columns_come_through() -> None:
    made = finished(
        [
            FakeRequest(chunks=(50.0, 60.0), reasoning=1, connect=3.0, user=4),
            FakeRequest(chunks=(), error_kind="timeout", error="too late"),
            FakeRequest(chunks=(80.0,), tokens=(4,), reads=(2,)),
        ],
        start_ns=1_000,
    )
    found = finished_of(record_of(made))
    for name in ("number", "user", "connect_ns", "chunk_ns", "chunk_tokens", "chunk_offsets"):
        assert np.array_equal(getattr(found, name), getattr(made, name)), name
        assert getattr(found, name).dtype == getattr(made, name).dtype
    assert found.chunk_is_reasoning.tolist() == [True, False, False]
    assert found.error_kind == ("", "timeout", "")


def test_nothing_is_a_record_too() -> None:
    found = finished_of(record_of(NOTHING))
    assert found.number.size == 0
    assert found.chunk_offsets.tolist() == [0]


def test_a_key_that_a_server_repeats_is_hidden() -> None:
    made = finished([FakeRequest(chunks=(), error_kind="status", error="bad key sk-123, sk-123")])
    found = finished_of(record_of(made), secrets=("sk-123", ""))
    assert found.error == ("bad key ***, ***",)


def test_figures_of_llama_cpp() -> None:
    message = {"stop": True, "timings": {"predicted_ms": 12.5, "predicted_n": 8, "note": "x"}}
    assert timings_of(json.dumps(message).encode()) == {"predicted_ms": 12.5, "predicted_n": 8.0}


def test_figures_of_ollama_have_the_names_that_compare_gives_them() -> None:
    message = {"done": True, "eval_duration": 1_000, "eval_count": 8, "model": "m"}
    assert timings_of(json.dumps(message).encode()) == {"eval_duration_ns": 1e3, "eval_count": 8.0}


def test_what_has_no_figures() -> None:
    for payload in (b"", b"[DONE]", b"no json", b"[1]", b'{"usage": {"completion_tokens": 3}}'):
        assert timings_of(payload) == {}

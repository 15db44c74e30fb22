"""Whatever an engine says, its stages are those of its request, and add up to it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from python_runner.analyse.stages.breakdown import Breakdown, Stage, breakdown

MS = 1_000_000
LLAMA = {
    "tokenise_ns": 0.0,
    "prefill_ns": 20.0 * MS,
    "decode_ns": 60.0 * MS,
    "sample_ns": 8.0 * MS,
    "detokenise_ns": 2.0 * MS,
}
GO = {**LLAMA, "forced_gc_ns": 0.0, "gc_pause_ns": 5.0 * MS, "gc_cycles": 3.0}
PYTHON = {**LLAMA, "setup_ns": 3.0 * MS, "loop_ns": 4.0 * MS, "gc_ns": 1.0 * MS}
OLLAMA = {
    "total_duration_ns": 95.0 * MS,
    "load_duration_ns": 4.0 * MS,
    "prompt_eval_duration_ns": 20.0 * MS,
    "eval_duration_ns": 60.0 * MS,
}
CTYPES = {"prompt_eval_ms": 30.0, "eval_ms": 50.0, "prompt_eval_count": 4.0, "eval_count": 2.0}
SERVER = {"prompt_ms": 30.0, "predicted_ms": 65.0, "prompt_n": 4.0}


def sample(timings: dict[str, float], **changes: Any) -> dict[str, Any]:
    return {
        "requested_ns": 1000,
        "ended_ns": 1000 + 100 * MS,
        "chunk_ns": [1000 + 25 * MS, 1000 + 60 * MS, 1000 + 98 * MS],
        "engine_timings": timings,
        "language": "C++",
        "reach": "embedded",
        **changes,
    }


def found(timings: dict[str, float], **changes: Any) -> Breakdown:
    parts = breakdown(sample(timings, **changes))
    assert parts is not None
    return parts


def in_ms(parts: Breakdown) -> dict[Stage, float]:
    return {stage: round(ns / MS, 6) for stage, ns in parts.ns.items()}


def test_an_engine_that_tells_all() -> None:
    parts = found(LLAMA)
    assert in_ms(parts) == {
        Stage.QUEUE: 0,
        Stage.TOKENISE: 0,
        Stage.PREFILL: 20,
        Stage.DECODE: 60,
        Stage.SAMPLE: 10,
        Stage.COLLECT: 0,
        Stage.REST: 10,
    }
    assert not parts.hidden
    assert parts.unattributed_ns == 10 * MS


def test_pauses_within_other_parts_are_taken_from_the_largest() -> None:
    parts = in_ms(found(GO))
    assert (parts[Stage.DECODE], parts[Stage.COLLECT], parts[Stage.REST]) == (55, 5, 10)


def test_forced_collections_are_a_part_that_holds_their_pauses() -> None:
    forced = {**GO, "decode_ns": 45.0 * MS, "forced_gc_ns": 15.0 * MS}
    parts = in_ms(found(forced))
    assert (parts[Stage.DECODE], parts[Stage.COLLECT], parts[Stage.REST]) == (45, 15, 10)


def test_an_engine_s_own_loop_is_rest_and_not_unattributed() -> None:
    parts = found(PYTHON)
    assert in_ms(parts)[Stage.COLLECT] == 1
    assert in_ms(parts)[Stage.REST] == 9
    assert parts.unattributed_ns == 2 * MS


def test_ollama_without_a_trace_of_its_collector() -> None:
    parts = found(OLLAMA, reach="served", language="Go")
    assert in_ms(parts) == {
        Stage.QUEUE: 9,  # 5 on our side, 4 to find the runner
        Stage.PREFILL: 20,
        Stage.DECODE: 60,
        Stage.REST: 11,
    }
    assert parts.hidden == dict.fromkeys((Stage.TOKENISE, Stage.SAMPLE, Stage.COLLECT), Stage.REST)


def test_ollama_with_a_trace_of_its_collector() -> None:
    parts = found({**OLLAMA, "gc_pause_ns": 0.5 * MS}, reach="served", language="Go")
    assert in_ms(parts)[Stage.COLLECT] == 0.5
    assert in_ms(parts)[Stage.DECODE] == 59.5
    assert Stage.COLLECT not in parts.hidden


def test_llama_server() -> None:
    parts = found(SERVER, reach="served")
    assert in_ms(parts)[Stage.QUEUE] == 5
    assert in_ms(parts)[Stage.PREFILL] == 30
    assert in_ms(parts)[Stage.DECODE] == 65
    assert in_ms(parts)[Stage.REST] == 0
    assert parts.hidden == {Stage.SAMPLE: Stage.DECODE}


def test_llama_cpp_by_ctypes_leaves_python_in_the_rest() -> None:
    parts = found({**CTYPES, "gc_ns": 2.0 * MS}, language="Python")
    assert in_ms(parts) == {
        Stage.QUEUE: 0,
        Stage.TOKENISE: 0,
        Stage.PREFILL: 30,
        Stage.DECODE: 50,
        Stage.COLLECT: 2,
        Stage.REST: 18,
    }
    assert parts.hidden == {Stage.SAMPLE: Stage.REST}
    assert parts.unattributed_ns == 0


def test_its_server_tells_as_much() -> None:
    parts = found(CTYPES, language="Python", reach="served")
    assert in_ms(parts) == {Stage.PREFILL: 30, Stage.DECODE: 50, Stage.REST: 20}
    hidden = (Stage.QUEUE, Stage.TOKENISE, Stage.SAMPLE, Stage.COLLECT)
    assert parts.hidden == dict.fromkeys(hidden, Stage.REST)


@pytest.mark.parametrize(
    ("reach", "language", "hidden"),
    [
        ("embedded", "Rust", {Stage.TOKENISE, Stage.SAMPLE}),
        ("served", "Rust", {Stage.QUEUE, Stage.TOKENISE, Stage.SAMPLE}),
        ("served", "Python", {Stage.QUEUE, Stage.TOKENISE, Stage.SAMPLE, Stage.COLLECT}),
    ],
)
def test_an_engine_that_tells_nothing(reach: str, language: str, hidden: set[Stage]) -> None:
    parts = found({"some_figure": 1.0}, reach=reach, language=language)
    assert in_ms(parts)[Stage.PREFILL] == 25
    assert in_ms(parts)[Stage.DECODE] == 73
    assert in_ms(parts)[Stage.REST] == 2
    assert set(parts.hidden) == hidden
    assert all(stage in parts.ns for stage in Stage if stage not in hidden)


def test_figures_that_are_more_than_the_request_are_cut_and_not_negative() -> None:
    parts = found({**LLAMA, "decode_ns": 75.0 * MS})
    assert in_ms(parts)[Stage.DECODE] == 70
    assert in_ms(parts)[Stage.REST] == 0


def test_no_answer_has_no_stages() -> None:
    assert breakdown(sample({}, chunk_ns=[], ended_ns=0, requested_ns=0)) is None
    assert breakdown(sample(LLAMA, chunk_ns=[])) is None


part = st.floats(0, 1e8)


@given(st.sampled_from([LLAMA, GO, PYTHON, OLLAMA, SERVER]), st.data(), st.integers(10, 10**13))
def test_stages_add_up_whatever_is_said(
    kind: dict[str, float], data: st.DataObject, request_ns: int
) -> None:
    timings = {name: data.draw(part) for name in kind}
    parts = found(timings, requested_ns=0, chunk_ns=[1, 9], ended_ns=request_ns)
    assert sum(parts.ns.values()) == pytest.approx(request_ns, rel=1e-6, abs=1)
    assert set(parts.ns) | set(parts.hidden) == set(Stage)
    assert not set(parts.ns) & set(parts.hidden)

"""Messages survive the way through the pipe, whatever is in them."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from python_runner.engines.contract import (
    EngineDescription,
    GenerateRequest,
    Generation,
    LaunchSettings,
    StopReason,
)
from python_runner.engines.worker import wire
from python_runner.models import Model

texts = st.text(max_size=40)
ids = st.lists(st.integers(0, 2**31 - 1), max_size=8).map(tuple)
stamps = st.lists(st.integers(0, 2**63 - 1), max_size=8).map(tuple)
counts = st.integers(0, 2**31 - 1)
seconds = st.floats(allow_nan=False)
labels = st.dictionaries(texts, texts, max_size=4)
paths = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20).map(
    Path
)

models = st.builds(
    Model,
    name=texts,
    label=texts,
    is_synthetic=st.booleans(),
    folder=paths,
    source_sha256=texts,
    gguf=st.dictionaries(texts, paths, max_size=2),
)
settings = st.builds(
    LaunchSettings,
    model=models,
    precision=texts,
    device=texts,
    threads=counts,
    context=counts,
    start_timeout_s=seconds,
)
requests = st.builds(
    GenerateRequest,
    prompt_text=texts,
    prompt_ids=ids,
    new_tokens=counts,
    seed=counts,
    ignore_end_of_sequence=st.booleans(),
    timeout_s=seconds,
)
generations = st.builds(
    Generation,
    requested_ns=counts,
    chunk_ns=stamps,
    chunk_tokens=ids,
    ended_ns=counts,
    prompt_tokens=counts,
    output_tokens=counts,
    stop=st.sampled_from(StopReason),
    text=texts,
    token_ids=st.none() | ids,
    engine_timings=st.dictionaries(texts, seconds, max_size=3),
)
messages: st.SearchStrategy[wire.Message] = st.one_of(
    st.builds(wire.Load, loader=texts, settings=settings),
    st.just(wire.Ready()),
    st.just(wire.Describe()),
    st.builds(
        wire.Described, description=st.builds(EngineDescription, version=texts, build=labels)
    ),
    st.builds(wire.Generate, request=requests),
    st.builds(wire.Generated, generation=generations),
    st.builds(wire.Tokenize, text=texts),
    st.builds(wire.TokenIds, ids=st.none() | ids),
    st.builds(wire.Failure, kind=texts, message=texts, hint=texts),
    st.just(wire.Quit()),
)


@given(messages)
def test_a_message_survives_the_round_trip(message: wire.Message) -> None:
    assert wire.decode(wire.encode(message)) == message


@given(messages)
def test_a_message_is_one_line(message: wire.Message) -> None:
    line = wire.encode(message)
    assert line.endswith(b"\n")
    assert b"\n" not in line[:-1]


@given(generations)
def test_a_timing_that_is_no_number_survives(generation: Generation) -> None:
    odd = replace(generation, engine_timings={"rate": math.nan})
    back = wire.decode(wire.encode(wire.Generated(generation=odd)))
    assert isinstance(back, wire.Generated)
    assert math.isnan(back.generation.engine_timings["rate"])


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\n",
        b"loading weights...\n",
        b"[]\n",
        b'{"kind": "Shout", "body": {}}\n',
        b'{"kind": "Tokenize", "body": {"words": 1}}\n',
        b'{"kind": "Tokenize"}\n',
        b"\xff\xfe\n",
    ],
)
def test_anything_else_is_no_message(line: bytes) -> None:
    with pytest.raises(wire.WireError):
        wire.decode(line)

"""How mistral.rs's server is started and asked, and what it is said to be."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from python_runner.engines.build.mistralrs import Made, MistralRsServerBuild
from python_runner.engines.contract import ACTIVATIONS, PROMPT_CACHE, WEIGHTS_IN_MEMORY
from python_runner.engines.mistralrs.server import (
    SPEC,
    describe_server,
    piece_of,
    request_body,
    server_arguments,
)
from tests.unit.engines.helpers import request_for, settings_for

BUILD = MistralRsServerBuild(
    binary=Path("server"),
    made=Made(
        version="0.8.1",
        tensor_version="0.10.2",
        compiler="rustc 1.95",
        flags=("-C", "x"),
        instruction_sets=("avx2",),
    ),
)
PROPS = {"dtype": "f32", "threads": 2, "slots": 1}


def test_the_weights_are_loaded_as_in_the_binding(tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    expected = {"bf16": ("f32", None), "8bit": ("f32", "q8_0"), "shipped": ("auto", None)}
    assert expected.keys() == SPEC.formats.keys()
    for precision, (dtype, isq) in expected.items():
        made = server_arguments(replace(settings, precision=precision), 4711)
        words = dict(pairwise(str(word) for word in made))
        assert (words["--dtype"], words.get("--isq")) == (dtype, isq)


def test_it_has_its_port_its_slots_and_a_template_that_adds_nothing(tmp_path: Path) -> None:
    made = server_arguments(replace(settings_for(tmp_path), slots=3), 4711)
    words = dict(pairwise(str(word) for word in made))
    assert (words["--port"], words["--slots"]) == ("4711", "3")
    assert Path(words["--chat-template"]).read_text() == "{{ messages[0]['content'] }}"


def test_a_request_carries_the_text_as_it_is_and_asks_for_ids() -> None:
    body = json.loads(request_body(request_for(2, 5, new_tokens=9)))
    assert body["messages"] == [{"role": "user", "content": "a prompt"}]
    assert body["max_tokens"] == 9
    assert body["temperature"] == 0
    assert (body["logprobs"], body["top_logprobs"], body["stream"]) == (True, 1, True)


def test_counts_are_asked_for_by_the_same_request_in_one_piece() -> None:
    streamed, whole = (
        json.loads(request_body(request_for(2, 5, new_tokens=9), streamed=streamed))
        for streamed in (True, False)
    )
    assert (whole["stream"], whole["logprobs"]) == (False, False)
    assert {**whole, "stream": True, "logprobs": True} == streamed


def test_whether_an_end_ends_the_answer_is_said_by_the_model_s_name() -> None:
    names = [
        json.loads(request_body(request_for(2, ignore_end_of_sequence=ignore)))["model"]
        for ignore in (True, False)
    ]
    assert names == ["goes-on", "ends"]


def test_a_chunk_has_its_text_and_its_id() -> None:
    choice = {
        "delta": {"content": "a"},
        "logprobs": {"token": "a", "top_logprobs": [{"token": 7, "logprob": -1.0}]},
    }
    piece = piece_of(choice)
    assert (piece.text, piece.ids) == ("a", (7,))
    assert not piece_of({"delta": {}}).has_content


def test_it_says_what_it_was_built_of_and_what_it_holds(tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    found = describe_server(BUILD, PROPS, settings)
    assert found.version == "0.8.1"
    assert "mistralrs-server-core 0.8.1" in found.build["source"]
    assert found.build[WEIGHTS_IN_MEMORY] == "f32"
    assert found.build["threads that compute"] == "2"
    assert found.build[PROMPT_CACHE] == "off"
    in_8_bits = describe_server(BUILD, PROPS, replace(settings, precision="8bit"))
    assert in_8_bits.build[WEIGHTS_IN_MEMORY] == "Q8_0"
    assert in_8_bits.build[ACTIVATIONS] == "f32, 8 bits in products"

"""Requests to servers of the catalogue, and what is read of their answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from python_runner.engines.servers.protocol import piece_of, request_body
from python_runner.engines.servers.read import shipped_servers
from tests.unit.engines.helpers import request_for

ROWS = shipped_servers()


def body_of(name: str, *, ignore: bool = True) -> Mapping[str, Any]:
    request = request_for(2, 5, new_tokens=7, ignore_end_of_sequence=ignore)
    body: Mapping[str, Any] = json.loads(request_body(ROWS[name].asks, "the-model", request))
    return body


@pytest.mark.parametrize("name", ROWS)
def test_every_request_is_streamed_and_greedy(name: str) -> None:
    body = body_of(name)
    assert body["stream"] is True
    assert body["temperature"] == 0.0
    assert body["max_tokens"] == 7
    assert body["prompt"] == ([2, 5] if ROWS[name].asks.prompt == "ids" else "a prompt")
    assert ("model" in body) == ROWS[name].asks.names_model


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("vllm", "ignore_eos", True),
        ("exllamav2", "ban_eos_token", True),
        ("mlc-llm", "debug_config", {"ignore_eos": True}),
    ],
)
def test_an_end_is_ignored_in_the_servers_own_way(name: str, key: str, value: object) -> None:
    assert body_of(name)[key] == value
    assert key not in body_of(name, ignore=False)


def test_a_server_that_cannot_ignore_an_end_is_not_asked_to() -> None:
    assert body_of("tgi") == body_of("tgi", ignore=False)


def test_ids_of_a_chunk() -> None:
    piece = piece_of(ROWS["vllm"].answers, {"text": "ab", "token_ids": [7, 8]})
    assert (piece.text, piece.ids, piece.count) == ("ab", (7, 8), 2)
    assert not piece_of(ROWS["vllm"].answers, {"text": "", "token_ids": None}).has_content


def test_entries_are_counted_where_usage_counts_something_else() -> None:
    answers = ROWS["text-generation-webui"].answers
    piece = piece_of(answers, {"text": "", "logprobs": {"tokens": ["a", "b"]}})
    assert (piece.text, piece.count) == ("ab", 2)
    assert not piece_of(answers, {"text": "", "logprobs": None}).has_content

"""How `transformers serve` is started and asked, and what it is said to be."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from python_runner.common.errors import EngineStartError
from python_runner.engines.contract import WEIGHTS_IN_MEMORY
from python_runner.engines.hf.serve import ENGINE, describe_server, request_body
from python_runner.engines.hf.serve_program import FACTS, batching, command
from tests.unit.engines.helpers import request_for, settings_for

LOG = f"""
INFO: something
{FACTS}{json.dumps({WEIGHTS_IN_MEMORY: "f32"})}
INFO: of a server before it in the same log, and now this one
{FACTS}{json.dumps({WEIGHTS_IN_MEMORY: "bf16", "torch": "2.15"})}
"""


def test_a_request_carries_the_text_as_it_is_and_plain_greedy_settings() -> None:
    body = json.loads(request_body((1, 6), request_for(2, 5, new_tokens=9)))
    assert body["prompt"] == "a prompt"
    assert (body["max_tokens"], body["stream"]) == (9, True)
    settings = json.loads(body["generation_config"])
    assert settings["do_sample"] is False
    assert settings["repetition_penalty"] == 1


def test_an_end_that_no_token_is_ends_no_answer() -> None:
    def ends(known: tuple[int, ...], *, ignored: bool) -> object:
        body = request_body(known, request_for(2, ignore_end_of_sequence=ignored))
        return json.loads(json.loads(body)["generation_config"])["eos_token_id"]

    assert ends((1, 6), ignored=True) == -1
    assert ends((1, 6), ignored=False) == [1, 6]
    assert ends((), ignored=False) == -1


def test_the_command_has_the_settings(tmp_path: Path) -> None:
    words = [str(word) for word in command(settings_for(tmp_path, threads=3), 4711)]
    assert str(tmp_path) in words
    assert set(pairwise(words)) >= {
        ("--port", "4711"),
        ("--threads", "3"),
        ("--precision", "bf16"),
        ("--slots", "1"),
        ("--context", "64"),
    }


def test_several_slots_are_its_continuous_batching_each_with_the_context() -> None:
    assert batching(1, 512) == {}
    several = batching(3, 100)
    assert several["continuous_batching"] is True
    assert several["cb_block_size"] == 32
    assert several["cb_num_blocks"] == 3 * 4


def test_it_is_what_the_last_server_in_the_log_says(tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    found = describe_server(LOG, settings)
    assert found.version
    assert found.build[WEIGHTS_IN_MEMORY] == "bf16"
    assert found.build["torch"] == "2.15"
    assert found.build["continuous batching"] == "off"
    assert describe_server(LOG, replace(settings, slots=2)).build["continuous batching"] == "on"


def test_a_path_that_it_would_misread_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "model@home"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    with pytest.raises(EngineStartError, match="for a revision"):
        ENGINE.start(settings_for(folder), tmp_path / "log")


def test_a_server_that_says_nothing_is_not_measured(tmp_path: Path) -> None:
    with pytest.raises(EngineStartError, match="does not say what it has loaded"):
        describe_server("INFO: up", settings_for(tmp_path))

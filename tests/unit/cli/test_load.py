"""`polystack load`: what its words mean, and mistakes told before anything starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from python_runner.cli.load_words import length_keys, prompt_keys, shape_keys
from python_runner.common.errors import UsageError
from python_runner.engines.outside import key_headers
from tests.unit.cli.conftest import Polystack


def keys(**given: Any) -> dict[str, object]:
    whole = {
        **dict.fromkeys(("users", "rate", "arrivals", "requests", "duration", "warmup")),
        **given,
    }
    shape = {name: whole[name] for name in ("users", "rate", "arrivals")}
    length = {name: whole[name] for name in ("users", "requests", "duration", "warmup")}
    return {**shape_keys(**shape), **length_keys(**length)}


def test_users_take_the_rate_of_the_study_away() -> None:
    found = keys(users="10,50", requests=100)
    assert found["users"] == (10, 50)
    assert found["rate"] is None
    assert (found["requests"], found["duration_s"]) == (100, None)


def test_requests_follow_the_users_unless_they_are_given() -> None:
    assert keys(users="2")["requests"] == 80
    assert keys(users="2,100")["requests"] == 500
    assert keys(users="100", requests=7)["requests"] == 7
    assert keys(users="100", duration="30s")["requests"] is None


def test_a_fifth_is_for_warming_up() -> None:
    assert keys(requests=100)["warmup"] == 20
    assert keys(requests=3)["warmup"] == 0
    assert keys(requests=100, warmup=1)["warmup"] == 1
    assert "warmup" not in keys()


def test_an_open_loop() -> None:
    found = keys(rate="2,5.5", arrivals="constant", duration="1min")
    assert found["rate"] == (2.0, 5.5)
    assert found["users"] is None
    assert (found["arrivals"], found["duration_s"]) == ("constant", 60.0)


def test_prompts_are_a_file_or_a_text(tmp_path: Path) -> None:
    path = tmp_path / "p.txt"
    path.write_text("x")
    assert prompt_keys(str(path), None) == {"prompts": {"kind": "file", "file": str(path)}}
    assert prompt_keys("Tell me.", None) == {"prompts": {"kind": "text", "text": "Tell me."}}
    assert prompt_keys("word " * 2000, None)["prompts"]
    assert prompt_keys(None, None) == {}
    assert prompt_keys(None, 20) == {"prompts": {"kind": "synthetic", "shared_prefix_tokens": 20}}


def test_the_key_goes_into_a_header() -> None:
    headers, secrets = key_headers("MY_KEY", {"MY_KEY": " sk-9\n"})
    assert headers == {"Authorization": "Bearer sk-9"}
    assert secrets == ("sk-9",)
    assert key_headers(None, {}) == ({}, ())


@pytest.mark.parametrize("value", ["", "  ", "two words", "ключ", "sk\x07"])
def test_what_is_no_key_is_not_repeated(value: str) -> None:
    with pytest.raises(UsageError, match="MY_KEY") as raised:
        key_headers("MY_KEY", {"MY_KEY": value})
    assert not value.strip() or value not in raised.value.message + raised.value.hint


@pytest.mark.parametrize("name", ["sk-very-secret", "hf_VerySecret", "two words"])
def test_a_key_in_the_place_of_its_variable_is_not_repeated(name: str) -> None:
    with pytest.raises(UsageError, match="not repeated here") as raised:
        key_headers(name, {})
    assert name not in raised.value.message + raised.value.hint


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--users", "0"), "greater than 0"),
        (("--users", "-3"), "greater than 0"),
        (("--users", "ten"), "not a list of numbers"),
        (("--users", "5,5"), "a level stands there twice"),
        (("--users", "1.5"), "not a list of numbers"),
        (("--rate", "0"), "greater than 0"),
        (("--rate", "inf"), "finite"),
        (("--rate", "fast"), "not a list of numbers"),
        (("--rate", "2", "--users", "3"), "Give one of the two"),
        (("--users", "3", "--arrivals", "poisson"), "--arrivals is of an open loop"),
        (("--rate", "2", "--arrivals", "sometimes"), "load.arrivals = 'sometimes'"),
        (("--requests", "0"), "load.requests = 0"),
        (("--requests", "5", "--warmup", "5"), "leave none"),
        (("--duration", "30"), "'30' is no duration"),
        (("--duration", "-1s"), "is no duration"),
        (("--ramp", "soon"), "'soon' is no duration"),
        (("--timeout", "0s"), "'0s' is no duration"),
        (("--slo", "ttft"), "'ttft' is no target"),
        (("--slo", "ttft=fast"), "'fast' is no duration"),
        (("--slo", "speed=3s"), "figures: ttft, itl, tpot, e2e"),
        (("--slots", "0"), "load.slots = 0"),
        (("--prompts", "nothing.jsonl"), "there is no file nothing.jsonl"),
        (("--prompts", " "), "--prompts is empty"),
        (("--prompts", "x", "--shared-prefix", "9"), "for synthetic prompts"),
        (("--engine", "lama-server"), "Did you mean 'llama-server'"),
        (("--engine", "transformers"), "runs in process"),
        (("--engine", "transformers"), "llama-server, llama-cpp-python-server, llamafile, ollama"),
        (("--engine", "ollama", "--url", "http://h"), "exclude each other"),
        (("--engine", "ollama", "--dialect", "openai-chat"), "--dialect: is for a server"),
        (("--api-key-env", "NAME"), "--api-key-env: is for a server"),
        (("--url", "ftp://h/"), "no URL of a server"),
        (("--url", "localhost:8000"), "Write http://HOST:PORT"),
        (("--url", "http://h", "--dialect", "soap"), "unknown dialect 'soap'"),
        (("--url", "http://h", "--api-key-env", "NOT_THERE_AT_ALL"), "the variable is not set"),
        (("--url", "http://h", "--ca-file", "nothing.pem"), "--ca-file nothing.pem"),
        (("--stop", "soon"), "workload.stop = 'soon'"),
        (("--url", "http://h", "--ignore-eos", "--stop", "end-of-sequence"), "ends there"),
        (("--study", "demo"), "no table [load]"),
        (("--study", "lod-demo"), "Did you mean 'load-demo'"),
    ],
)
def test_a_mistake_is_named(
    polystack: Polystack, results: Path, arguments: tuple[str, ...], said: str
) -> None:
    outcome = polystack("load", *arguments)
    assert outcome.code == 2
    assert said in outcome.err.replace("\n", " ")
    assert not results.exists()


def test_a_study_with_a_load_is_not_compared(polystack: Polystack) -> None:
    outcome = polystack("compare", "load-demo")
    assert outcome.code == 2
    assert "polystack load --study load-demo" in outcome.err


def test_a_variable_that_engines_would_inherit_is_refused() -> None:
    with pytest.raises(UsageError, match="would inherit it") as raised:
        key_headers("HOSTED", {"HOSTED": "sk-9-canary"})
    assert "HOSTED_KEY" in raised.value.hint
    assert "sk-9-canary" not in raised.value.message + raised.value.hint

"""What is sent to Ollama, and in which environment it runs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from python_runner.engines.ollama import request_body
from python_runner.engines.ollama_server import logged_features, server_environment
from python_runner.engines.ollama_store import OllamaStore
from tests.unit.engines.helpers import request_for, settings_for


def test_a_request_leaves_no_choice_to_the_sampler(tmp_path: Path) -> None:
    body = json.loads(request_body("m", request_for(2, 5, new_tokens=9), settings_for(tmp_path)))
    assert body["model"] == "m"
    assert body["prompt"] == "a prompt"
    assert body["options"] == {
        "num_batch": 512,
        "num_ctx": 64,
        "num_gpu": 0,
        "num_thread": 2,
        "num_predict": 9,
        "seed": 0,
        "temperature": 0.0,
        "top_k": 1,
        "top_p": 1.0,
        "min_p": 0.0,
        "typical_p": 1.0,
        "repeat_last_n": 0,
        "repeat_penalty": 1.0,
        "presence_penalty": 0.0,
        "frequency_penalty": 0.0,
        "stop": [],
    }


def test_a_prompt_is_neither_rendered_nor_cut(tmp_path: Path) -> None:
    body = json.loads(request_body("m", request_for(2), settings_for(tmp_path)))
    assert body["raw"] is True
    assert body["stream"] is True
    assert body["truncate"] is False
    assert body["shift"] is False
    assert body["keep_alive"] == -1


def test_a_prompt_may_hold_any_text(tmp_path: Path) -> None:
    request = replace(request_for(2), prompt_text='a "quote"\n\té 😀 \x00')
    body = json.loads(request_body("m", request, settings_for(tmp_path)))
    assert body["prompt"] == 'a "quote"\n\té 😀 \x00'


def test_the_users_own_settings_of_ollama_and_go_do_not_count(tmp_path: Path) -> None:
    inherited = ["OLLAMA_NEW_ENGINE", "OLLAMA_DEBUG", "OLLAMA_HOST", "PATH"]
    found = server_environment(inherited, OllamaStore(tmp_path), settings_for(tmp_path), 4711)
    assert found["OLLAMA_NEW_ENGINE"] == ""
    assert found["OLLAMA_DEBUG"] == ""
    assert found["GOGC"] == ""
    assert found["OLLAMA_HOST"] == "127.0.0.1:4711"
    assert "PATH" not in found


def test_the_server_keeps_to_itself(tmp_path: Path) -> None:
    found = server_environment([], OllamaStore(tmp_path), settings_for(tmp_path), 4711)
    assert found["HOME"] == str(tmp_path / "home")
    assert found["OLLAMA_MODELS"] == str(tmp_path / "models")
    assert found["OLLAMA_NO_CLOUD"] == "1"
    assert found["HTTPS_PROXY"].startswith("http://127.0.0.1:")
    assert found["OLLAMA_CONTEXT_LENGTH"] == "64"


def test_the_features_that_the_last_runner_logged() -> None:
    lines = [
        "msg=system CPU.0.SSE3=1 compiler=cgo(gcc)",
        "something else",
        "msg=system CPU.0.SSE3=1 CPU.0.AVX2=1 CPU.0.AMX=0 CPU.0.LLAMAFILE=1 compiler=cgo(gcc)",
    ]
    assert logged_features(lines) == "SSE3 AVX2 LLAMAFILE"
    assert logged_features([]) == ""

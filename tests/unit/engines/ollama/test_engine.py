"""What is sent to Ollama, and in which environment it runs."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from python_runner.common.errors import EngineStartError
from python_runner.engines.ollama.engine import SPEC, request_body
from python_runner.engines.ollama.server import Logged, Runner, read_log, server_environment
from python_runner.engines.ollama.store import OllamaStore
from python_runner.engines.ollama.variant import Variant, _check_engine, label
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
    found = environment(tmp_path, inherited)
    assert found["OLLAMA_NEW_ENGINE"] == ""
    assert found["OLLAMA_DEBUG"] == ""
    assert found["GOGC"] == ""
    assert found["OLLAMA_HOST"] == "127.0.0.1:4711"
    assert "PATH" not in found


def test_the_server_keeps_to_itself(tmp_path: Path) -> None:
    found = environment(tmp_path)
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
    assert read_log(lines).features == "SSE3 AVX2 LLAMAFILE"
    assert read_log([]).features == ""


def environment(folder: Path, inherited: Iterable[str] = (), **changes: bool) -> dict[str, str]:
    return server_environment(
        inherited,
        OllamaStore(folder),
        settings_for(folder),
        4711,
        go_engine=changes.get("go_engine", False),
    )


def test_the_engine_in_go_is_asked_for_by_its_own_row_only(tmp_path: Path) -> None:
    assert environment(tmp_path, go_engine=True)["OLLAMA_NEW_ENGINE"] == "true"
    assert environment(tmp_path)["OLLAMA_NEW_ENGINE"] == ""


def test_the_log_says_which_engine_ran() -> None:
    llama_cpp = 'level=INFO source=runner.go:965 msg="starting go runner"'
    own = 'level=INFO source=runner.go:1411 msg="starting ollama engine"'
    assert read_log([own, llama_cpp]).is_go_engine is False
    assert read_log([llama_cpp, own]).is_go_engine is True
    assert read_log(["something else"]).is_go_engine is None


def test_a_library_that_was_chosen_at_run_time_is_named() -> None:
    line = "load_backend: loaded CPU backend from /usr/lib/ollama/libggml-cpu-icelake.so"
    assert read_log([line]).backend == "libggml-cpu-icelake.so"


@pytest.mark.parametrize(
    ("title", "is_go_engine", "expected"),
    [
        ("Ollama", False, "Ollama (C++ engine)"),
        ("Ollama", True, "Ollama (Go engine)"),
        ("Ollama (Go engine)", True, "Ollama (Go engine)"),
        ("Ollama, installed", False, "Ollama, installed (C++ engine)"),
    ],
)
def test_the_engine_stands_in_the_label(title: str, *, is_go_engine: bool, expected: str) -> None:
    assert label(title, is_go_engine=is_go_engine) == expected


def runner(*, is_go_engine: bool) -> Runner:
    return Runner(process=psutil.Process(), is_go_engine=is_go_engine)


def logged(*, is_go_engine: bool | None) -> Logged:
    return Logged(features="AVX2", backend="", is_go_engine=is_go_engine)


@pytest.mark.parametrize(
    ("runs_go", "logs_go"), [(False, False), (True, None), (False, None), (True, False)]
)
def test_another_engine_than_the_one_in_go_is_refused(
    *, runs_go: bool, logs_go: bool | None
) -> None:
    variant = Variant(spec=SPEC, go_engine=True)
    with pytest.raises(EngineStartError, match="engine"):
        _check_engine(
            variant, runner(is_go_engine=runs_go), logged(is_go_engine=logs_go), Path("log")
        )


def test_either_engine_will_do_where_none_was_asked_for() -> None:
    variant = Variant(spec=SPEC)
    for is_go in (True, False):
        _check_engine(variant, runner(is_go_engine=is_go), logged(is_go_engine=is_go), Path("log"))
    _check_engine(
        variant, runner(is_go_engine=False), logged(is_go_engine=None), Path("an older Ollama's")
    )

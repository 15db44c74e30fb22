"""llama.cpp by ctypes, with a package on paper."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from python_runner.common.build.cpu import CpuFlags
from python_runner.common.errors import EngineStartError, SetupError
from python_runner.engines.build.llama_cpp_python import CtypesBinding, require_packages
from python_runner.engines.build.llamacpp import library_fact, library_file
from python_runner.engines.contract import (
    PROMPT_CACHE,
    EngineDescription,
    GenerateRequest,
    StopReason,
)
from python_runner.engines.ggml.facts import LIBRARY, THREADING
from python_runner.engines.llama import llama_cpp_python_server as server
from python_runner.engines.llama.llama_cpp_python import SPEC, CtypesModel, binding_facts
from python_runner.engines.llama.llama_cpp_python_program import (
    FACTS,
    arguments,
    told,
    usage_of,
    without_options,
)
from python_runner.engines.scoring import ScoreRequest
from python_runner.engines.table import engine
from python_runner.engines.tuning import settings_of
from tests.unit.engines.helpers import request_for, settings_for
from tests.unit.engines.llama.llama_package import END, VOCABULARY, PaperLlama, package

DESCRIPTION = EngineDescription(version="0.3.36", build={})
RECIPE = {
    "commit": "0c1e57098",
    "llama_cpp_python": "0.3.36",
    "compiler": "c++ 12.2",
    "cpu": CpuFlags(
        ggml=("-DGGML_AVX2=ON",), c=("-O3",), rust=(), instruction_sets=("avx2",)
    ).recipe(),
}
LOADED = {
    "version": "0.3.36",
    "library": "lib",
    "system": "CPU : OPENMP = 1 |",
    "ends": [1, 6],
    "threads": 2,
    "microbatch": 64,
}


@pytest.fixture
def binding(tmp_path: Path) -> CtypesBinding:
    """A build of llama.cpp on paper."""
    library = tmp_path / "llama-cpp-1234" / "lib" / "libllama.so"
    library.parent.mkdir(parents=True)
    library.with_name("libllama.so.0.5.0").touch()
    library.symlink_to("libllama.so.0.5.0")
    (tmp_path / "llama-cpp-1234" / "recipe.json").write_text(json.dumps(RECIPE))
    return CtypesBinding(folder=tmp_path / "source", prefix=tmp_path / "llama-cpp-1234")


@pytest.fixture
def model() -> CtypesModel:
    return CtypesModel(package(), PaperLlama(), lambda: DESCRIPTION)


def test_an_answer_has_a_stamp_and_an_id_for_each_token(model: CtypesModel) -> None:
    answer = model.generate(request_for(2, 5, new_tokens=3))
    assert answer.token_ids == (6, 7, 8)
    assert answer.text == "6 7 8"
    assert answer.chunk_tokens == (1, 1, 1)
    stamps = [answer.requested_ns, *answer.chunk_ns, answer.ended_ns]
    assert stamps == sorted(stamps)
    assert (answer.prompt_tokens, answer.output_tokens) == (2, 3)
    assert answer.stop is StopReason.LENGTH
    assert answer.engine_timings["prompt_eval_ms"] == 2
    assert answer.engine_timings["eval_ms"] == 3


def test_the_mark_that_ends_an_answer_is_no_part_of_it(model: CtypesModel) -> None:
    request = request_for(VOCABULARY - 2, new_tokens=9, ignore_end_of_sequence=False)
    answer = model.generate(request)
    assert answer.token_ids == (VOCABULARY - 1, 0)
    assert answer.stop is StopReason.END_OF_SEQUENCE


def test_where_it_is_ignored_it_is_a_token_like_any(model: CtypesModel) -> None:
    answer = model.generate(request_for(VOCABULARY - 2, new_tokens=5))
    assert answer.token_ids == (VOCABULARY - 1, 0, END, 2, 3)
    assert answer.stop is StopReason.LENGTH


def test_a_prompt_is_computed_whole_also_when_the_last_one_began_alike(model: CtypesModel) -> None:
    first, again = (model.generate(request_for(2, 5, new_tokens=2)) for _ in range(2))
    assert again.token_ids == first.token_ids
    computed = [each.engine_timings["prompt_eval_count"] for each in (first, again)]
    assert computed[0] == computed[1]


def test_given_tokens_are_scored_each_after_all_before_it(model: CtypesModel) -> None:
    scores = model.score(ScoreRequest(prompt_ids=(2, 5), answer_ids=(6, 9), top=2))
    assert scores.top_ids == ((6, 5), (7, 6))
    assert scores.logprobs[0] == scores.top_logprobs[0][0]
    assert scores.logprobs[1] == pytest.approx(scores.top_logprobs[1][0] - 2)
    total = sum(math.exp(-abs(token - 6)) for token in range(VOCABULARY))
    assert scores.logprobs[0] == pytest.approx(-math.log(total))


def test_the_library_has_to_be_that_of_the_build(binding: CtypesBinding, tmp_path: Path) -> None:
    binding.check(str(binding.prefix / "lib" / "libllama.so.0.5.0"))
    with pytest.raises(EngineStartError, match=r"has loaded /usr/lib/libllama\.so"):
        binding.check("/usr/lib/libllama.so")
    assert binding.environment == {"LLAMA_CPP_LIB_PATH": str(binding.prefix / "lib")}


def test_facts_name_the_library_by_its_build_and_no_place_of_this_machine(
    binding: CtypesBinding, tmp_path: Path
) -> None:
    facts = binding_facts(binding, "CPU : AVX2 = 1 | OPENMP = 1 | AMX_INT8 = 0 |")
    assert facts[LIBRARY] == library_fact(binding.prefix) == "llama-cpp-1234/lib/libllama.so.0.5.0"
    assert library_file(binding.prefix).name == "libllama.so.0.5.0"
    assert facts["instruction sets"] == "AVX2 OPENMP"
    assert facts[PROMPT_CACHE] == "off"
    assert facts["llama.cpp"] == "0c1e57098"
    assert "OpenMP" in facts[THREADING]
    assert not any(str(tmp_path) in fact for fact in facts.values())


def test_a_package_that_is_missing_is_named() -> None:
    require_packages(("numpy",), "it")
    with pytest.raises(SetupError, match="no-such-package is not installed; it needs it"):
        require_packages(("numpy", "no-such-package"), "it")


def streamed(llama: Any, prompt: list[int], tokens: int) -> list[dict[str, Any]]:
    return list(llama.create_completion(prompt=prompt, max_tokens=tokens, stream=True))


def test_a_stream_of_the_server_ends_with_its_counts(capsys: pytest.CaptureFixture[str]) -> None:
    llama = told(package("lib"))(model_path="m.gguf", n_ctx=64)
    assert llama.options["swa_full"] is False
    facts = json.loads(capsys.readouterr().out.removeprefix(FACTS))
    assert facts["ends"] == [END]
    assert facts["library"] == "lib"
    *texts, last = streamed(llama, [2, 5], 4)
    # On paper it would go on to 12, which 3 divides.
    assert [chunk["choices"][0]["text"] for chunk in texts] == ["6 ", "7 ", "8 ", "9 "]
    assert last["usage"] == {
        "prompt_tokens": 2,
        "completion_tokens": 4,
        "total_tokens": 6,
        "prompt_eval_ms": 2.0,
        "eval_ms": 3.0,
        "prompt_eval_count": 5.0,
        "eval_count": 1.0,
    }


def test_the_server_begins_each_request_from_nothing() -> None:
    llama = told(package())()
    assert streamed(llama, [2, 5], 4) == streamed(llama, [2, 5], 4)


def test_the_mark_counts_as_it_does_with_other_servers() -> None:
    llama = told(package())()
    *texts, last = streamed(llama, [VOCABULARY - 2], 9)
    assert len(texts) == 2
    assert last["usage"]["completion_tokens"] == 3
    assert usage_of(3, 3, {})["completion_tokens"] == 1


def test_an_answer_in_one_piece_is_left_alone() -> None:
    answer = told(package())().create_completion(prompt=[2], max_tokens=3, stream=False)
    assert answer == {"usage": {"completion_tokens": 3}}


def test_the_server_is_started_like_the_embedded_row(tmp_path: Path) -> None:
    words = arguments(tmp_path / "m.gguf", "paper", 3, 1024, 4711)
    assert set(pairwise(words)) >= {
        ("--host", "127.0.0.1"),
        ("--port", "4711"),
        ("--n_ctx", "1024"),
        ("--n_batch", "1024"),
        ("--n_ubatch", "512"),
        ("--n_threads", "3"),
        ("--n_threads_batch", "3"),
        ("--logits_all", "false"),
        ("--interrupt_requests", "false"),
        ("--cache", "false"),
    }


def test_the_users_variables_set_no_options_of_the_server() -> None:
    variables = {"N_CTX": "7", "cache": "1", "Config_File": "x", "PATH": "/bin", "CACHES": "1"}
    without_options(variables, {"n_ctx": object(), "cache": object()})
    assert variables == {"PATH": "/bin", "CACHES": "1"}


def body_of(request: GenerateRequest) -> dict[str, object]:
    found: dict[str, object] = json.loads(server.request_body("paper", (1, 6), request))
    return found


def test_a_request_is_plain_and_greedy_and_its_end_is_forbidden_or_not() -> None:
    body = body_of(request_for(2, new_tokens=9))
    assert body["prompt"] == "a prompt"
    assert (body["temperature"], body["repeat_penalty"]) == (0, 1)
    assert (body["max_tokens"], body["stream"]) == (9, True)
    bias = body["logit_bias"]
    assert isinstance(bias, dict)
    assert set(bias) == {"1", "6"}
    assert all(value < -1e6 for value in bias.values())
    assert "logit_bias" not in body_of(request_for(2, ignore_end_of_sequence=False))


def test_the_server_is_what_the_last_line_in_the_log_says(binding: CtypesBinding) -> None:
    older = {**LOADED, "threads": 7}
    log = f"{FACTS}{json.dumps(older)}\nINFO: up\n{FACTS}{json.dumps(LOADED)}\n"
    found = server.describe_server(binding, server.logged_facts(log))
    assert found.version == "0.3.36"
    assert found.build["threads that compute"] == "2"
    assert found.build[LIBRARY] == library_fact(binding.prefix)
    with pytest.raises(EngineStartError, match="does not say what it has loaded"):
        server.logged_facts("INFO: up")


def test_the_server_has_one_slot_whatever_is_asked_for(tmp_path: Path) -> None:
    settings = replace(settings_for(tmp_path), slots=4)
    assert settings_of(engine(server.SPEC.name), settings).slots == 1
    variant = engine(f"{server.SPEC.name}@threads=1")
    assert settings_of(variant, settings).slots == 1
    assert settings_of(engine(SPEC.name), settings) is settings


def test_the_server_finds_package_and_library(binding: CtypesBinding, tmp_path: Path) -> None:
    variables = server.environment(binding, settings_for(tmp_path))
    assert variables["PYTHONPATH"].endswith(str(binding.folder))
    assert variables["LLAMA_CPP_LIB_PATH"] == str(binding.prefix / "lib")
    words = [str(word) for word in server.command(tmp_path / "m", settings_for(tmp_path), 1)]
    assert words[2] == "python_runner.engines.llama.llama_cpp_python_program"

"""How vLLM is started and asked, and what is made of its answers."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from python_runner.common.build.cache import RECIPE
from python_runner.common.build.survey import Survey
from python_runner.common.errors import EngineStartError, GenerationError, SetupError, UsageError
from python_runner.common.locations import CACHE_VARIABLE
from python_runner.common.progress import SilentProgress
from python_runner.engines.build import vllm_cpu as build
from python_runner.engines.contract import StopReason
from python_runner.engines.scoring import ScoreRequest
from python_runner.engines.served.openai_protocol import Dialogue, generation_of
from python_runner.engines.served.streaming import Stream
from python_runner.engines.vllm.engine import (
    ENGINE,
    cache_bytes_for,
    environment,
    foreign_names,
    server_arguments,
)
from python_runner.engines.vllm.plugin import AMX_VARIABLE
from python_runner.engines.vllm.protocol import (
    piece_of,
    request_body,
    score_body,
    scores_of,
    token_ids_of,
)
from tests.unit.engines.helpers import request_for, settings_for

CONFIG = {
    "num_hidden_layers": 3,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "hidden_size": 96,
}
DIALOGUE = Dialogue(title="vLLM", piece=piece_of)


def chunk(text: str, *ids: int, finish: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "text": text, "token_ids": list(ids), "finish_reason": finish}
    return {"choices": [choice]}


def ending(tokens: int) -> dict[str, Any]:
    return {"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": tokens}}


def stream_of(*messages: dict[str, Any]) -> Stream:
    return Stream(
        requested_ns=1,
        events=(*(json.dumps(each).encode() for each in messages), b"[DONE]"),
        event_ns=tuple(10 * number for number in range(1, len(messages) + 2)),
        read_index=tuple(range(len(messages) + 1)),
        ended_ns=900,
    )


def test_a_request_carries_ids_and_goes_on_behind_an_end() -> None:
    body = json.loads(request_body("paper", request_for(2, 5, new_tokens=9)))
    assert (body["model"], body["prompt"], body["max_tokens"]) == ("paper", [2, 5], 9)
    assert (body["ignore_eos"], body["temperature"], body["stream"]) == (True, 0.0, True)
    assert body["return_token_ids"] is True
    assert body["stream_options"] == {"include_usage": True}
    # It would forbid an end of sequence instead of going on behind it.
    assert "min_tokens" not in body
    request = request_for(2, ignore_end_of_sequence=False)
    assert json.loads(request_body("paper", request))["ignore_eos"] is False


def test_several_tokens_of_a_chunk_are_counted() -> None:
    stream = stream_of(
        chunk("a", 3), chunk("", 4), chunk("bc", 5, 6), chunk("d", 7, finish="length"), ending(5)
    )
    answer = generation_of(stream, DIALOGUE, new_tokens=5)
    assert answer.chunk_tokens == (1, 1, 2, 1)
    assert answer.chunk_ns == (10, 20, 30, 40)
    assert answer.token_ids == (3, 4, 5, 6, 7)
    assert (answer.prompt_tokens, answer.output_tokens, answer.text) == (5, 5, "abcd")


@pytest.mark.parametrize(
    ("last", "counts"),
    [
        ((chunk("b", 4), chunk("", 1, finish="stop")), (1, 1)),
        ((chunk("b", 4, 1, finish="stop"),), (1, 1)),
    ],
)
def test_the_mark_of_an_end_is_no_part_of_the_answer(
    last: tuple[dict[str, Any], ...], counts: tuple[int, ...]
) -> None:
    answer = generation_of(stream_of(chunk("a", 3), *last, ending(3)), DIALOGUE, new_tokens=9)
    assert answer.stop is StopReason.END_OF_SEQUENCE
    assert (answer.output_tokens, answer.token_ids, answer.chunk_tokens) == (2, (3, 4), counts)


def test_tokens_of_a_text() -> None:
    assert token_ids_of({"tokens": [2, 7], "count": 2}) == (2, 7)
    with pytest.raises(GenerationError, match="tokens of a text"):
        token_ids_of({"error": "none"})


def test_scores_are_those_of_the_answer_best_first() -> None:
    request = ScoreRequest(prompt_ids=(2, 3), answer_ids=(8,), top=2)
    body = json.loads(score_body("paper", request))
    assert (body["prompt"], body["prompt_logprobs"], body["max_tokens"]) == ([2, 3, 8], 2, 1)
    place = {
        "8": {"logprob": -5.0, "rank": 7},
        "4": {"logprob": -0.2, "rank": 1},
        "9": {"logprob": -2.0, "rank": 2},
    }
    answer = {"choices": [{"prompt_logprobs": [None, {"3": {"logprob": -1.0, "rank": 1}}, place]}]}
    found = scores_of(answer, request)
    assert found.logprobs == (-5.0,)
    assert (found.top_ids, found.top_logprobs) == (((4, 9),), ((-0.2, -2.0),))
    with pytest.raises(GenerationError, match="did not score"):
        scores_of({"choices": [{}]}, request)


def test_the_command_has_the_settings(tmp_path: Path) -> None:
    settings = replace(settings_for(tmp_path, context=300), slots=4)
    words = [str(w) for w in server_arguments(settings, 4711, 1000, is_eager=False)]
    assert words[:2] == ["serve", str(tmp_path)]
    assert set(pairwise(words)) >= {
        ("--host", "127.0.0.1"),
        ("--port", "4711"),
        ("--max-model-len", "300"),
        ("--max-num-seqs", "4"),
        ("--kv-cache-memory-bytes", "1000"),
        ("--generation-config", "vllm"),
    }
    assert "--no-enable-prefix-caching" in words
    assert "--enforce-eager" not in words
    assert "--enforce-eager" in server_arguments(settings, 1, 1, is_eager=True)


def test_nothing_is_reported_and_nothing_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VLLM_USE_SOMETHING", "1")
    found = environment(3, has_amx=False)
    assert found["OMP_NUM_THREADS"] == "3"
    assert (found["VLLM_NO_USAGE_STATS"], found["HF_HUB_OFFLINE"]) == ("1", "1")
    assert found["VLLM_CPU_OMP_THREADS_BIND"] == "nobind"
    assert found[AMX_VARIABLE] == "off"
    assert environment(3, has_amx=True)[AMX_VARIABLE] == "on"
    assert "VLLM_USE_SOMETHING" in foreign_names()


def test_the_cache_holds_every_slot_with_its_context(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    settings = settings_for(tmp_path, context=129)
    token = 2 * 3 * 2 * 16 * 2
    one = cache_bytes_for(tmp_path, settings)
    assert one >= 2 * 128 * token, "two blocks of 128 hold 129 tokens"
    assert cache_bytes_for(tmp_path, replace(settings, slots=5)) == 5 * one
    (tmp_path / "config.json").write_text(json.dumps({"text_config": CONFIG}))
    assert cache_bytes_for(tmp_path, settings) == one


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineStartError, match="holds no model"):
        cache_bytes_for(tmp_path, settings_for(tmp_path))


def test_its_knobs_make_variants_that_can_be_combined() -> None:
    eager = ENGINE.tuned({"eager": "on"})
    assert (eager.spec.name, eager.spec.title) == ("vllm-cpu@eager=on", "vLLM on CPU, eager on")
    both = eager.tuned({"amx": "on"})
    assert both.spec.name == "vllm-cpu@amx=on+eager=on"
    with pytest.raises(UsageError):
        ENGINE.tuned({"eager": "perhaps"})


def test_it_is_installed_only_on_request(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    with pytest.raises(SetupError, match="on request only") as raised:
        build.vllm_environment(SilentProgress())
    assert build.TO_TYPE in raised.value.hint
    assert build.TO_TYPE in ENGINE.lack()
    assert not any(tmp_path.iterdir())
    surveyed = Survey().run(build.vllm_environment)
    assert surveyed.missing[0].title.startswith("Installing vLLM for CPUs, 6 GB")
    assert surveyed.expected_s


def test_what_is_installed_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    folder = Survey().run(build.vllm_environment).used[0]
    folder.mkdir(parents=True)
    (folder / RECIPE).write_text("{}")
    found = build.vllm_environment(SilentProgress())
    assert found.program == folder / "bin" / "vllm"
    with pytest.raises(SetupError, match="has no torch"):
        found.version("torch")


def test_a_disk_that_is_too_small_is_told_before(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    monkeypatch.setattr(build, "_FREE_GB", 1e9)
    with pytest.raises(SetupError, match="GB are free"):
        build.install_vllm(SilentProgress())
    assert not any(tmp_path.glob("builds/vllm-cpu-*")), "nothing half made is left"

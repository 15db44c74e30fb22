"""llama-cpp-python on the tiny model: the library of our binding, and one request at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

import httpx
import psutil
import pytest

from python_runner.common.progress import SilentProgress
from python_runner.engines.build.llamacpp import library_file, llama_cpp_prefix
from python_runner.engines.contract import (
    GenerateRequest,
    Generation,
    LaunchSettings,
    RunningEngine,
    Served,
)
from python_runner.engines.ggml.facts import LIBRARY
from python_runner.engines.served.load_client import LoadClient, LoadShape, Sending
from python_runner.engines.served.streaming import prepare_stream_client
from python_runner.engines.table import engine
from python_runner.measure.load.finished import finished_of
from python_runner.models import ReferenceTokenizer, prepare_model

CTYPES, SERVER = "llama-cpp-python", "llama-cpp-python-server"
STACKS = ("llama.cpp", CTYPES, SERVER)
PROMPT = "red fox, blue jar, red fox, blue jar, red fox,"
# The fact of the stacks that says what is computed with, but not by whom it is called.
SAME = (LIBRARY, "compiler", "flags", "ggml options", "instruction sets", "ggml version")


@pytest.fixture(scope="module")
def settings() -> LaunchSettings:
    return LaunchSettings(
        model=prepare_model("gemma-2-tiny", {"bf16"}, SilentProgress()),
        precision="bf16",
        device="cpu",
        threads=1,  # two would wait for each other on a busy machine
        context=128,
        start_timeout_s=120.0,
    )


@pytest.fixture(scope="module")
def running(
    settings: LaunchSettings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[str, RunningEngine]]:
    logs = tmp_path_factory.mktemp("logs")
    with ExitStack() as stack:
        found = {}
        for name in STACKS:
            engine(name).prepare(SilentProgress())
            started = engine(name).start(settings, logs / f"{name}.log")
            found[name] = stack.enter_context(started)
        yield found


@pytest.fixture(scope="module")
def asked(settings: LaunchSettings) -> GenerateRequest:
    ids = ReferenceTokenizer(settings.model.folder).encode(PROMPT)
    return GenerateRequest(prompt_text=PROMPT, prompt_ids=ids, new_tokens=48, timeout_s=120.0)


@pytest.mark.parametrize("name", STACKS)
def test_all_three_compute_with_one_file(running: Mapping[str, RunningEngine], name: str) -> None:
    """By what the kernel says is mapped into the process, not by what the engine says."""
    (pid,) = running[name].process_ids()
    mapped = {Path(each.path) for each in psutil.Process(pid).memory_maps()}
    ours = library_file(llama_cpp_prefix(SilentProgress()))
    assert {path for path in mapped if path.name.startswith("libllama.")} == {ours}
    kernels = {path for path in mapped if path.name.startswith("libggml")}
    assert kernels
    assert {path.parent for path in kernels} == {ours.parent}
    facts, others = (running[each].description.build for each in (name, "llama.cpp"))
    assert [facts[key] for key in SAME] == [others[key] for key in SAME]


@pytest.mark.parametrize("name", [CTYPES, SERVER])
def test_a_prompt_is_computed_whole_each_time(
    running: Mapping[str, RunningEngine], asked: GenerateRequest, name: str
) -> None:
    answers = [running[name].generate(asked) for _ in range(2)]
    for answer in answers:
        assert answer.engine_timings["prompt_eval_count"] == len(asked.prompt_ids)
        assert answer.engine_timings["eval_count"] == asked.new_tokens - 1
        taken_ms = (answer.ended_ns - answer.requested_ns) / 1e6
        timings = answer.engine_timings
        assert 0 < timings["prompt_eval_ms"] + timings["eval_ms"] < taken_ms
    assert answers[0].text == answers[1].text


def test_two_requests_at_once_are_answered_one_after_the_other(
    running: Mapping[str, RunningEngine], asked: GenerateRequest
) -> None:
    """By itself the server would end the first when the second comes."""
    server = running[SERVER]
    answers: list[Generation] = []

    def ask() -> None:
        answers.append(server.generate(asked))

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.output_tokens for answer in answers] == [asked.new_tokens] * 3
    assert len({answer.text for answer in answers}) == 1
    in_turn = sorted(answers, key=lambda answer: answer.chunk_ns[0])
    for first, second in pairwise(in_turn):
        assert first.chunk_ns[-1] < second.chunk_ns[0]
    assert server.description.build["slots"] == "1"


def test_under_load_all_is_answered_and_counted(
    running: Mapping[str, RunningEngine], asked: GenerateRequest
) -> None:
    server = running[SERVER]
    assert isinstance(server, Served)
    client = LoadClient(prepare_stream_client(SilentProgress()))
    body, shape = server.request_body(asked), LoadShape(users=2, requests=4)
    run = client.start(server.endpoint, [body], shape, Sending(timeout_s=60.0))
    assert run.wait(60.0)
    found = finished_of(run.take())
    assert set(found.status) == {200}, found.error
    assert set(found.prompt_tokens) == {len(asked.prompt_ids)}
    assert set(found.output_tokens) == {asked.new_tokens}


def test_the_package_s_own_routes_are_there(running: Mapping[str, RunningEngine]) -> None:
    server = running[SERVER]
    assert isinstance(server, Served)
    base = server.endpoint.url.removesuffix("/v1/completions")
    models = httpx.get(f"{base}/v1/models", trust_env=False).json()
    assert [each["id"] for each in models["data"]] == [server.endpoint.model]

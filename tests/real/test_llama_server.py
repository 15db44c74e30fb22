"""llama-server on the tiny model: what the contract suite, made for all engines, does not ask.

Where a llamafile is named, it is a script (tests/llamafile_script.py): see there for what that
proves and what it does not.
"""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from python_runner.common.errors import EngineStartError, GenerationError, SetupError
from python_runner.common.processes import free_port
from python_runner.common.progress import SilentProgress
from python_runner.engines.contract import (
    Engine,
    GenerateRequest,
    LaunchSettings,
    RunningEngine,
    StopReason,
)
from python_runner.engines.ggml.facts import DEFINES, VERSION
from python_runner.engines.llama.llamafile import ENGINE as LLAMAFILE
from python_runner.engines.llama.protocol import generation_of, request_body
from python_runner.engines.llama.server import ENGINE
from python_runner.engines.served import server_process
from python_runner.engines.served.streaming import Framing, StreamClient, prepare_stream_client
from python_runner.models import Model, ReferenceTokenizer, prepare_model
from tests.contract.processes import alive, family, no_process_left, wait_until
from tests.llamafile_script import write_llamafile_script

PROMPT = "red fox, blue jar, red fox, blue jar, red fox,"
CONTEXT = 128
# Starts the engine, says which processes it has, and waits to be killed.
WORKBENCH = """
import pickle, sys, time
from pathlib import Path
from python_runner.engines.llama.server import ENGINE
settings, log = pickle.loads(Path(sys.argv[1]).read_bytes())
running = ENGINE.start(settings, log)
print(*running.process_ids(), flush=True)
time.sleep(600)
"""
# As 0.9 does at a port that is in use, here at the first start only.
MOVES_ON = """#!/bin/sh
if [ "$1" = --version ]; then exec sh "{script}" --version; fi
if [ -e "{mark}" ]; then exec sh "{script}" "$@"; fi
touch "{mark}"
exec sh "{script}" "$@" --port {port}
"""


@pytest.fixture(scope="module")
def model() -> Model:
    return prepare_model("gemma-2-tiny", {"bf16"}, SilentProgress())


@pytest.fixture(scope="module")
def settings(model: Model) -> LaunchSettings:
    return LaunchSettings(
        model=model,
        precision="bf16",
        device="cpu",
        threads=1,  # two would wait for each other on a busy machine
        context=CONTEXT,
        start_timeout_s=120.0,
    )


@pytest.fixture(scope="module")
def running(
    settings: LaunchSettings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningEngine]:
    ENGINE.prepare(SilentProgress())
    with ENGINE.start(settings, tmp_path_factory.mktemp("log") / "llama-server.log") as running:
        yield running


@pytest.fixture(autouse=True)
def nothing_left(running: RunningEngine) -> Iterator[None]:
    with no_process_left():
        yield


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A script in the place of a llamafile; it can be written anew."""
    path = write_llamafile_script(tmp_path)
    monkeypatch.setenv("LLAMAFILE", str(path))
    return path


def request(settings: LaunchSettings, tokens: int = 16, prompt: str = PROMPT) -> GenerateRequest:
    ids = ReferenceTokenizer(settings.model.folder).encode(prompt)
    return GenerateRequest(prompt_text=prompt, prompt_ids=ids, new_tokens=tokens, timeout_s=60.0)


def port_of(running: RunningEngine) -> int:
    found = psutil.Process(running.process_ids()[0]).net_connections(kind="tcp4")
    return next(c.laddr.port for c in found if c.status == psutil.CONN_LISTEN)


def start_badly(engine: Engine, settings: LaunchSettings, log: Path) -> EngineStartError:
    with pytest.raises(EngineStartError) as raised:
        engine.start(settings, log).stop()
    assert str(log) in raised.value.hint
    return raised.value


def test_it_is_the_bindings_own_build(running: RunningEngine) -> None:
    build = running.description.build
    assert build["stands in for"] == "llamafile"
    assert "AVX" in build["instruction sets"]
    assert "AMX" not in build["instruction sets"]
    assert "-O3" in build["flags"]
    assert build[VERSION].startswith("0.")
    assert build[DEFINES] == "OpenMP on, repacking on, llamafile's sgemm on"
    assert "config file" not in build


def test_our_clock_and_the_servers_agree(running: RunningEngine, settings: LaunchSettings) -> None:
    answer = running.generate(request(settings))
    timings = answer.engine_timings
    whole_ms = (answer.ended_ns - answer.requested_ns) / 1e6
    assert 0 < timings["prompt_ms"] + timings["predicted_ms"] <= whole_ms
    assert timings["predicted_n"] == 16.0
    assert timings["prompt_n"] == len(request(settings).prompt_ids)


def test_a_repeated_prompt_is_computed_again(
    running: RunningEngine, settings: LaunchSettings
) -> None:
    for _ in range(3):
        answer = running.generate(request(settings))
        assert answer.engine_timings["cache_n"] == 0.0


def test_the_last_token_of_the_context_can_be_had(
    running: RunningEngine, settings: LaunchSettings
) -> None:
    fits = CONTEXT - len(request(settings).prompt_ids)
    assert running.generate(request(settings, tokens=fits)).output_tokens == fits
    with pytest.raises(GenerationError, match=f"{CONTEXT + 1}, and the context has {CONTEXT}"):
        running.generate(request(settings, tokens=fits + 1))


def test_what_the_server_refuses_is_told_in_its_words(
    running: RunningEngine, settings: LaunchSettings
) -> None:
    with pytest.raises(GenerationError, match="invalid tokens"):
        running.generate(replace(request(settings), prompt_ids=(2, 10_000_000)))
    assert running.generate(request(settings)).output_tokens == 16


def test_an_answer_that_takes_too_long_is_given_up(
    running: RunningEngine, settings: LaunchSettings
) -> None:
    with pytest.raises(GenerationError, match="no end of the answer"):
        running.generate(replace(request(settings, tokens=64), timeout_s=0.001))
    assert running.generate(request(settings)).output_tokens == 16


def test_tokens_that_end_within_a_character_are_counted(
    running: RunningEngine, settings: LaunchSettings
) -> None:
    """The server sends none of them: neither an event nor an id."""
    _, first_of_three, _, _ = running.token_ids("☃") or ()
    body = json.loads(request_body(request(settings, tokens=3)))
    body["logit_bias"] = [[first_of_three, 1000.0]]
    stream = StreamClient(prepare_stream_client(SilentProgress())).post(
        f"http://127.0.0.1:{port_of(running)}/completion",
        json.dumps(body).encode(),
        framing=Framing.SSE,
        timeout_s=60.0,
    )
    answer = generation_of(stream, title="llama-server", new_tokens=3)
    assert answer.output_tokens == 3
    assert answer.stop is StopReason.LENGTH
    assert answer.chunk_tokens == (3,)
    assert answer.token_ids is None


def test_the_users_variables_do_not_reach_it(
    settings: LaunchSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLAMA_ARG_N_PARALLEL", "no number")
    monkeypatch.setenv("LLAMA_API_KEY", "secret")
    with ENGINE.start(settings, tmp_path / "log") as second:
        assert second.generate(request(settings)).output_tokens == 16


def test_a_port_that_was_taken_is_not_the_end(
    settings: LaunchSettings,
    running: RunningEngine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ports = [port_of(running)]

    def taken_first() -> int:
        return ports.pop() if ports else free_port()

    monkeypatch.setattr(server_process, "free_port", taken_first)
    with ENGINE.start(settings, tmp_path / "log") as second:
        assert second.generate(request(settings)).output_tokens == 16
        assert second.process_ids() != running.process_ids()


def test_a_port_that_stays_taken_is_told(
    settings: LaunchSettings,
    running: RunningEngine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(server_process, "free_port", lambda: port_of(running))
    error = start_badly(ENGINE, settings, tmp_path / "log")
    assert "couldn't bind" in error.message


@pytest.mark.parametrize("content", [b"GGUF and nothing more", b"", None])
def test_what_is_no_model_does_not_start(
    settings: LaunchSettings, tmp_path: Path, content: bytes | None
) -> None:
    paper = tmp_path / "paper.gguf"
    if content is not None:
        paper.write_bytes(content)
    broken = replace(settings, model=replace(settings.model, gguf={"bf16": paper}))
    error = start_badly(ENGINE, broken, tmp_path / "log")
    assert "exit code 1" in error.message
    assert "paper.gguf" in error.message
    assert "delete it" in error.hint


def test_a_truncated_model_is_told_as_such(
    settings: LaunchSettings, model: Model, tmp_path: Path
) -> None:
    half = tmp_path / "half.gguf"
    whole = model.gguf["bf16"].read_bytes()
    half.write_bytes(whole[: len(whole) // 2])
    broken = replace(settings, model=replace(settings.model, gguf={"bf16": half}))
    error = start_badly(ENGINE, broken, tmp_path / "log")
    assert "not within the file bounds" in error.message


def test_a_server_that_is_never_ready_is_ended(settings: LaunchSettings, tmp_path: Path) -> None:
    error = start_badly(ENGINE, replace(settings, start_timeout_s=0.0), tmp_path / "log")
    assert "did not answer in time" in error.message


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel tells a child of its parent's end")
def test_nothing_survives_the_workbench(settings: LaunchSettings, tmp_path: Path) -> None:
    told = tmp_path / "settings"
    plain = replace(settings, model=replace(settings.model, gguf=dict(settings.model.gguf)))
    told.write_bytes(pickle.dumps((plain, tmp_path / "log")))
    with subprocess.Popen(
        [sys.executable, "-c", WORKBENCH, told], stdout=subprocess.PIPE, text=True
    ) as workbench:
        assert workbench.stdout is not None
        pids = family(int(pid) for pid in workbench.stdout.readline().split())
        assert len(pids) == 1
        workbench.kill()
        workbench.wait()
        wait_until(lambda: not alive(pids), "the server ends")


def test_a_llamafile_is_found_and_asked_what_it_is(
    settings: LaunchSettings, script: Path, tmp_path: Path
) -> None:
    with LLAMAFILE.start(settings, tmp_path / "log") as running:
        assert running.description.version == "0.10.6"
        assert running.description.build["file"] == script.name
        assert "stands in for" not in running.description.build
        assert running.generate(request(settings)).output_tokens == 16


def test_a_llamafile_of_the_old_family_gets_its_own_words(
    settings: LaunchSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLAMAFILE", str(write_llamafile_script(tmp_path, version="0.9.3")))
    with LLAMAFILE.start(settings, tmp_path / "log") as running:
        assert running.description.build["family"].startswith("0.9")
        assert running.token_ids(PROMPT) is None
        assert running.generate(request(settings)).output_tokens == 16


def test_a_llamafile_that_moves_to_another_port_gets_one_of_its_own(
    settings: LaunchSettings, script: Path, tmp_path: Path
) -> None:
    mark, other = tmp_path / "mark", tmp_path / "other.sh"
    other.write_text(script.read_text())
    script.write_text(MOVES_ON.format(script=other, mark=mark, port=free_port()))
    with LLAMAFILE.start(settings, tmp_path / "log") as running:
        assert mark.exists()
        assert running.generate(request(settings)).output_tokens == 16


def test_a_llamafile_that_ends_at_once_is_quoted(
    settings: LaunchSettings, script: Path, tmp_path: Path
) -> None:
    script.write_text(
        'if [ "$1" = --version ]; then echo "llamafile v0.10.6"; exit; fi\n'
        "echo loader: Permission denied >&2\n"
        "exit 126\n"
    )
    error = start_badly(LLAMAFILE, settings, tmp_path / "log")
    assert "exit code 126" in error.message
    assert "Permission denied" in error.message
    assert "TMPDIR" in error.hint


def test_what_cannot_be_run_is_no_llamafile(script: Path) -> None:
    script.write_bytes(b"\x7fELF nothing")
    with pytest.raises(SetupError, match="does not say that it is a llamafile"):
        LLAMAFILE.prepare(SilentProgress())

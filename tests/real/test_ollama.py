"""Ollama on the tiny model: what the contract suite, made for all engines, does not ask."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from python_runner.common.errors import EngineCrashError, EngineStartError, GenerationError
from python_runner.common.processes import free_port
from python_runner.common.progress import SilentProgress
from python_runner.engines.contract import (
    GenerateRequest,
    Generation,
    LaunchSettings,
    RunningEngine,
    StopReason,
)
from python_runner.engines.ggml.facts import (
    DEFINES,
    OWN_THREADS_ANEW,
    READ,
    THREADING,
    VERSION,
    WEIGHTS_FILE,
)
from python_runner.engines.ollama.engine import GO_ENGINE, OllamaEngine
from python_runner.engines.ollama.installed import ENGINE as INSTALLED
from python_runner.engines.ollama.store import OllamaStore
from python_runner.engines.served import server_process
from python_runner.models import Model, ReferenceTokenizer, prepare_model
from tests.contract.processes import Asking, alive, family, no_process_left, wait_until

PROMPT = "red fox, blue jar, red fox, blue jar, red fox,"
# Starts the engine, says which processes it has, and waits to be killed.
WORKBENCH = """
import pickle, sys, time
from pathlib import Path
from python_runner.engines.ollama.engine import ENGINE
settings, log = pickle.loads(Path(sys.argv[1]).read_bytes())
running = ENGINE.start(settings, log)
print(*running.process_ids(), flush=True)
time.sleep(600)
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
        context=128,
        start_timeout_s=120.0,
    )


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> OllamaEngine:
    """The engine with a store of its own, empty at first."""
    engine = OllamaEngine(OllamaStore(tmp_path_factory.mktemp("store")))
    engine.prepare(SilentProgress())
    return engine


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("log") / "ollama.log"


@pytest.fixture(scope="module")
def running(engine: OllamaEngine, settings: LaunchSettings, log: Path) -> Iterator[RunningEngine]:
    with engine.start(settings, log) as running:
        yield running


@pytest.fixture(autouse=True)
def nothing_left(running: RunningEngine) -> Iterator[None]:
    with no_process_left():
        yield


def request(settings: LaunchSettings, prompt: str = PROMPT, tokens: int = 16) -> GenerateRequest:
    ids = ReferenceTokenizer(settings.model.folder).encode(prompt)
    return GenerateRequest(prompt_text=prompt, prompt_ids=ids, new_tokens=tokens, timeout_s=60.0)


def ask(running: RunningEngine, settings: LaunchSettings) -> Generation:
    return running.generate(request(settings))


def test_it_is_the_pinned_version_compiled_for_this_cpu(running: RunningEngine) -> None:
    description = running.description
    assert description.version == "0.17.4"
    assert description.build["engine"] == "llama.cpp's, in C++"
    assert "-O3" in description.build["flags"]
    assert description.build["instruction sets"]
    assert "AMX" not in description.build["instruction sets"]
    assert description.build[VERSION].startswith("llama.cpp ec98e2002 with")
    assert description.build[DEFINES] == "OpenMP off, repacking off, llamafile's sgemm on"
    assert description.build[THREADING] == OWN_THREADS_ANEW
    assert description.build[WEIGHTS_FILE] == READ


def test_the_label_says_which_engine_ran(running: RunningEngine) -> None:
    assert running.description.label == "Ollama (C++ engine)"


def test_the_engine_in_go_runs_where_it_is_asked_for(
    engine: OllamaEngine, running: RunningEngine, settings: LaunchSettings, tmp_path: Path
) -> None:
    go_engine = OllamaEngine(engine.store, GO_ENGINE.variant)
    log = tmp_path / "go.log"
    with go_engine.start(settings, log) as started:
        description = started.description
        answer = ask(started, settings)
    assert description.label == "Ollama (Go engine)"
    assert description.build["engine"] == "Ollama's own, in Go, on ggml"
    assert "AVX" in description.build["instruction sets"]
    assert description.build[WEIGHTS_FILE] == READ
    assert description.build[THREADING] == OWN_THREADS_ANEW
    assert 'msg="starting ollama engine"' in log.read_text(errors="replace")
    assert answer.text == ask(running, settings).text


def test_an_installed_ollama_runs_beside_the_users_server(
    running: RunningEngine,
    settings: LaunchSettings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`running` is in the place of a server that the user has running."""
    theirs = psutil.Process(running.process_ids()[0])
    models = tmp_path / "theirs"
    monkeypatch.setenv("OLLAMA_BINARY", theirs.exe())
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:1")
    monkeypatch.setenv("OLLAMA_MODELS", str(models))
    installed = OllamaEngine(OllamaStore(tmp_path / "store"), INSTALLED.variant)
    installed.prepare(SilentProgress())
    with installed.start(settings, tmp_path / "log") as started:
        assert started.description.version == "0.17.4"
        assert started.description.label == "Ollama, installed (C++ engine)"
        assert theirs.exe() in started.description.build["package"]
        assert started.process_ids() != running.process_ids()
        assert ask(started, settings).output_tokens == 16
    assert not models.exists()
    assert theirs.is_running()


def test_every_token_is_a_chunk(running: RunningEngine, settings: LaunchSettings) -> None:
    answer = ask(running, settings)
    assert answer.stop is StopReason.LENGTH
    assert answer.output_tokens == 16
    assert answer.chunk_tokens == (1,) * 16
    assert answer.prompt_tokens == len(request(settings).prompt_ids)


def test_our_clock_and_ollamas_agree(running: RunningEngine, settings: LaunchSettings) -> None:
    answer = ask(running, settings)
    timings = answer.engine_timings
    assert 0 < timings["total_duration_ns"] <= answer.ended_ns - answer.requested_ns
    assert timings["eval_duration_ns"] < timings["total_duration_ns"]
    assert timings["eval_count"] == 16.0


def test_a_model_is_taken_in_once(
    running: RunningEngine, engine: OllamaEngine, settings: LaunchSettings, log: Path
) -> None:
    assert log.read_text(errors="replace").count("polystack: made") == 1
    again = log.with_name("again.log")
    with engine.start(settings, again):
        pass
    assert "polystack: made" not in again.read_text(errors="replace")


def test_what_does_not_fit_is_an_error(running: RunningEngine, settings: LaunchSettings) -> None:
    with pytest.raises(GenerationError, match="context"):
        running.generate(request(settings, PROMPT * 20))
    with pytest.raises(GenerationError, match="instead of"):
        running.generate(request(settings, tokens=settings.context))
    assert ask(running, settings).output_tokens == 16


def test_an_answer_that_takes_too_long_is_given_up(
    running: RunningEngine, settings: LaunchSettings
) -> None:
    with pytest.raises(GenerationError, match="no end of the answer"):
        running.generate(replace(request(settings, tokens=64), timeout_s=0.001))
    assert ask(running, settings).output_tokens == 16


@pytest.mark.parametrize("moment", ["in mid-stream", "between two requests"])
def test_a_killed_runner_is_a_crash(
    engine: OllamaEngine, settings: LaunchSettings, tmp_path: Path, moment: str
) -> None:
    with engine.start(settings, tmp_path / "log") as running:
        pids = family(running.process_ids())
        (runner,) = pids - set(running.process_ids())
        if moment == "in mid-stream":
            asking = Asking(running, request(settings, tokens=64))
            asking.wait_for_answers(1)
            os.kill(runner, signal.SIGKILL)
            asking.end()
            error: Exception | None = asking.error
        else:
            os.kill(runner, signal.SIGKILL)
            wait_until(lambda: not alive([runner]), "the runner ends")
            with pytest.raises(EngineCrashError) as raised:
                ask(running, settings)
            error = raised.value
        assert isinstance(error, EngineCrashError)
        assert "runner" in error.message
    assert not alive(pids)


def test_a_runner_whose_server_was_killed_is_ended(
    engine: OllamaEngine, settings: LaunchSettings, tmp_path: Path
) -> None:
    with engine.start(settings, tmp_path / "log") as running:
        pids = family(running.process_ids())
        assert len(pids) == 2
        os.kill(running.process_ids()[0], signal.SIGKILL)
    assert not alive(pids)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel tells a child of its parent's end")
def test_nothing_survives_the_workbench(
    engine: OllamaEngine, settings: LaunchSettings, tmp_path: Path
) -> None:
    told = tmp_path / "settings"
    plain = replace(settings, model=replace(settings.model, gguf=dict(settings.model.gguf)))
    told.write_bytes(pickle.dumps((plain, tmp_path / "log")))
    with subprocess.Popen(
        [sys.executable, "-c", WORKBENCH, told], stdout=subprocess.PIPE, text=True
    ) as workbench:
        assert workbench.stdout is not None
        pids = family(int(pid) for pid in workbench.stdout.readline().split())
        assert len(pids) == 2
        workbench.kill()
        workbench.wait()
        wait_until(lambda: not alive(pids), "server and runner end")


def test_a_port_that_was_taken_is_not_the_end(
    engine: OllamaEngine,
    settings: LaunchSettings,
    running: RunningEngine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taken = psutil.Process(running.process_ids()[0]).net_connections(kind="tcp4")
    ports = [next(c.laddr.port for c in taken if c.status == psutil.CONN_LISTEN)]

    def taken_first() -> int:
        return ports.pop() if ports else free_port()

    monkeypatch.setattr(server_process, "free_port", taken_first)
    with engine.start(settings, tmp_path / "log") as second:
        assert ask(second, settings).output_tokens == 16
        assert second.process_ids() != running.process_ids()


def test_what_is_no_model_does_not_start(
    engine: OllamaEngine, settings: LaunchSettings, tmp_path: Path
) -> None:
    paper = tmp_path / "paper.gguf"
    paper.write_bytes(b"GGUF and nothing more")
    broken = replace(settings, model=replace(settings.model, gguf={"bf16": paper}))
    with pytest.raises(EngineStartError, match="did not take the model"):
        engine.start(broken, tmp_path / "log")


def test_a_file_that_is_gone_does_not_start(
    engine: OllamaEngine, settings: LaunchSettings, tmp_path: Path
) -> None:
    gone = replace(settings, model=replace(settings.model, gguf={"bf16": tmp_path / "x.gguf"}))
    with pytest.raises(EngineStartError, match="cannot be read"):
        engine.start(gone, tmp_path / "log")

"""The Go driver on the tiny model: its collector's counters, its parts of a request, its tests."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from python_runner.common.build.cpu import cpu_flags
from python_runner.common.build.source import llama_cpp_source
from python_runner.common.build.toolchain import c_compilers
from python_runner.common.errors import EngineStartError, GenerationError
from python_runner.common.locations import source_root
from python_runner.common.progress import SilentProgress
from python_runner.engines.build.ollama import build_environment
from python_runner.engines.contract import (
    GenerateRequest,
    Generation,
    LaunchSettings,
    RunningEngine,
)
from python_runner.engines.ggml.facts import (
    DEFINES,
    MAPPED,
    OWN_THREADS_ANEW,
    READ,
    THREADING,
    VERSION,
    WEIGHTS_FILE,
)
from python_runner.engines.llama import llamacpp
from python_runner.engines.ollama.go_driver import Collector, go_driver
from python_runner.models import ReferenceTokenizer, prepare_model
from tests.contract.processes import no_process_left

MODULE = source_root() / "native" / "go"
TOKENS = 32
PROMPT = "red fox, blue jar, red fox, blue jar, red fox,"
PARTS = (
    "tokenise_ns",
    "prefill_ns",
    "decode_ns",
    "sample_ns",
    "forced_gc_ns",
    "detokenise_ns",
)
ENGINES = pytest.mark.parametrize("go_engine", [False, True], ids=["C++ engine", "Go engine"])


@pytest.fixture(scope="module")
def settings() -> LaunchSettings:
    return LaunchSettings(
        model=prepare_model("gemma-2-tiny", {"bf16"}, SilentProgress()),
        precision="bf16",
        device="cpu",
        threads=1,
        context=128,
        start_timeout_s=120.0,
    )


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    with no_process_left():
        yield


def start(
    settings: LaunchSettings, folder: Path, *, go_engine: bool, collector: Collector | None = None
) -> RunningEngine:
    engine = go_driver(go_engine=go_engine, collector=collector or Collector())
    engine.prepare(SilentProgress())
    return engine.start(settings, folder / "driver.log")


def request(
    settings: LaunchSettings, prompt: str = PROMPT, tokens: int = TOKENS
) -> GenerateRequest:
    ids = ReferenceTokenizer(settings.model.folder).encode(prompt)
    return GenerateRequest(prompt_text=prompt, prompt_ids=ids, new_tokens=tokens, timeout_s=60.0)


def one_answer(
    settings: LaunchSettings, folder: Path, *, go_engine: bool, collector: Collector
) -> Generation:
    with start(settings, folder, go_engine=go_engine, collector=collector) as running:
        return running.generate(request(settings))


@ENGINES
def test_forced_collections_are_seen_and_change_no_answer(
    settings: LaunchSettings, tmp_path: Path, go_engine: bool
) -> None:
    free, forced = (
        one_answer(settings, tmp_path, go_engine=go_engine, collector=collector)
        for collector in (Collector(gogc="off"), Collector(gogc="off", forced=True))
    )
    none, many = free.engine_timings, forced.engine_timings
    assert none["gc_cycles"] == none["gc_pause_ns"] == none["forced_gc_ns"] == 0
    assert many["gc_cycles"] == TOKENS
    assert many["gc_pause_ns"] > 0
    assert many["gc_cpu_s"] > none["gc_cpu_s"] == 0
    assert many["forced_gc_ns"] > 0
    assert none["heap_allocated_bytes"] > 0
    assert none["heap_allocated_objects"] > 0
    assert forced.token_ids == free.token_ids


@ENGINES
@pytest.mark.parametrize("forced", [False, True])
def test_the_parts_are_at_least_nine_tenths_of_a_request(
    settings: LaunchSettings, tmp_path: Path, go_engine: bool, forced: bool
) -> None:
    collector = Collector(forced=forced)
    answer = one_answer(settings, tmp_path, go_engine=go_engine, collector=collector)
    parts = [answer.engine_timings[name] for name in PARTS]
    assert all(part >= 0 for part in parts)
    assert 0.9 <= sum(parts) / (answer.ended_ns - answer.requested_ns) <= 1.0
    assert answer.engine_timings["prefill_ns"] <= answer.chunk_ns[0] - answer.requested_ns


@ENGINES
def test_it_says_what_runs_and_how_the_collector_is_set(
    settings: LaunchSettings, tmp_path: Path, go_engine: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POLYSTACK_GOGC", "25")
    engine = go_driver(go_engine=go_engine)
    engine.prepare(SilentProgress())
    with engine.start(settings, tmp_path / "log") as running:
        description = running.description
    build = description.build
    assert description.version == "0.17.4"
    assert ("in Go" in build["engine"].split(",")[1]) == go_engine
    assert build["GOGC"] == "25"
    assert build["GOMEMLIMIT"] == "off"
    assert int(build["GOMAXPROCS"]) >= 1
    assert build["llama.cpp"].startswith("ec98e2002")
    assert "-O3" in build["flags"]
    assert "AVX" in build["instruction sets"]
    assert "AMX" not in build["instruction sets"]
    assert build[VERSION].startswith("llama.cpp ec98e2002 with")
    assert build[DEFINES] == "OpenMP off, repacking off, llamafile's sgemm on"
    assert build[THREADING] == OWN_THREADS_ANEW
    assert build[WEIGHTS_FILE] == (READ if go_engine else MAPPED)
    assert "forced collections" not in build


def test_forced_collections_are_a_fact_of_the_build(
    settings: LaunchSettings, tmp_path: Path
) -> None:
    forced = Collector(gogc="off", forced=True)
    with start(settings, tmp_path, go_engine=False, collector=forced) as running:
        assert running.description.build["forced collections"] == "after every token"
        assert running.description.build["GOGC"] == "off"


def test_a_bad_setting_is_refused_before_anything_starts(
    settings: LaunchSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POLYSTACK_GOGC", "sometimes")
    with pytest.raises(EngineStartError, match="sometimes"):
        go_driver().start(settings, tmp_path / "log")


@ENGINES
def test_stamps_are_of_our_clock(settings: LaunchSettings, tmp_path: Path, go_engine: bool) -> None:
    with start(settings, tmp_path, go_engine=go_engine) as running:
        before = time.monotonic_ns()
        answer = running.generate(request(settings))
        after = time.monotonic_ns()
    assert before <= answer.requested_ns < answer.ended_ns <= after


@ENGINES
def test_a_prompt_longer_than_a_batch_is_computed_in_pieces(
    settings: LaunchSettings, tmp_path: Path, go_engine: bool
) -> None:
    long = replace(settings, context=640)
    asked = request(long, PROMPT * 40, tokens=4)
    # A batch of 512 and 4 tokens more. Elsewhere beyond the sliding window (64 tokens here)
    # a near-tie may fall otherwise: to Ollama's engine in Go the window is one token wider.
    asked = replace(asked, prompt_ids=asked.prompt_ids[:516])
    assert len(asked.prompt_ids) == 516
    with start(long, tmp_path, go_engine=go_engine) as running:
        answer = running.generate(asked)
    llamacpp.ENGINE.prepare(SilentProgress())
    with llamacpp.ENGINE.start(long, tmp_path / "llama.log") as running:
        expected = running.generate(asked)
    assert answer.token_ids == expected.token_ids


@ENGINES
def test_what_does_not_fit_is_an_error_and_not_the_end(
    settings: LaunchSettings, tmp_path: Path, go_engine: bool
) -> None:
    with start(settings, tmp_path, go_engine=go_engine) as running:
        with pytest.raises(GenerationError, match="the context has 128") as raised:
            running.generate(request(settings, tokens=settings.context))
        assert "context" in raised.value.hint
        with pytest.raises(GenerationError, match="vocabulary"):
            running.generate(replace(request(settings), prompt_ids=(10**6,)))
        assert running.generate(request(settings)).output_tokens == TOKENS


def test_it_leaves_ctrl_c_to_the_workbench(settings: LaunchSettings, tmp_path: Path) -> None:
    with start(settings, tmp_path, go_engine=False) as running:
        os.kill(running.process_ids()[0], signal.SIGINT)
        assert running.generate(request(settings)).output_tokens == TOKENS


def test_its_own_checks_pass() -> None:
    """`go vet` and `go test` of all of it, compiled as the driver is."""
    go = shutil.which("go")
    assert go is not None
    headers = llama_cpp_source(SilentProgress()) / "vendor"
    environment = {
        **os.environ,
        **build_environment(c_compilers("the Go driver"), cpu_flags(), headers),
    }
    for command in ("vet", "test"):
        done = subprocess.run(
            [go, command, "-mod=readonly", "-trimpath", "./..."],
            cwd=MODULE,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

"""The worker process under all that can go wrong, with models without weights."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from python_runner.common.errors import EngineCrashError, EngineStartError, GenerationError
from python_runner.engines.contract import (
    GenerateRequest,
    Language,
    Reach,
    RunningEngine,
    StopReason,
)
from python_runner.engines.mock import mock_spec
from python_runner.engines.worker.embedded import EmbeddedEngine
from python_runner.engines.worker.program import WorkerProgram, python_worker
from tests.contract import paper_models
from tests.contract.processes import Asking, alive, no_process_left, wait_until
from tests.unit.engines.helpers import settings_for

Starter = Callable[..., RunningEngine]


def asking(prompt: str, *, timeout_s: float = 600.0) -> GenerateRequest:
    return GenerateRequest(prompt_text=prompt, prompt_ids=(2, 3), new_tokens=1, timeout_s=timeout_s)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "engine.log"


@pytest.fixture
def start(tmp_path: Path, log: Path) -> Iterator[Starter]:
    def start_engine(loader: str = "load", *, start_timeout_s: float = 60.0) -> RunningEngine:
        engine = EmbeddedEngine(
            spec=mock_spec("paper", Language.PYTHON, Reach.EMBEDDED),
            prepare=lambda progress: None,
            loader=f"{paper_models.__name__}:{loader}",
        )
        settings = replace(settings_for(tmp_path, threads=3), start_timeout_s=start_timeout_s)
        return engine.start(settings, log)

    with no_process_left():
        yield start_engine


def test_questions_are_answered_in_another_process(start: Starter) -> None:
    with start() as running:
        assert running.process_ids() != (os.getpid(),)
        assert running.description.version == "1"
        assert running.load_seconds > 0
        assert running.token_ids("a") == (2, 97)
        for text in ("one", "two"):
            answer = running.generate(asking(text))
            assert (answer.text, answer.stop) == (text, StopReason.LENGTH)


def test_the_worker_has_the_threads_of_the_settings(start: Starter) -> None:
    with start() as running:
        assert running.description.build == {"OMP_NUM_THREADS": "3"}


def test_what_is_known_of_a_program_is_part_of_what_it_is(tmp_path: Path, log: Path) -> None:
    engine = EmbeddedEngine(
        spec=mock_spec("paper", Language.PYTHON, Reach.EMBEDDED),
        prepare=lambda progress: None,
        loader=f"{paper_models.__name__}:load",
        program=lambda settings: WorkerProgram(
            command=python_worker(settings).command,
            facts={"compiler": "cc 12", "OMP_NUM_THREADS": "what the worker says counts"},
        ),
    )
    with no_process_left(), engine.start(settings_for(tmp_path, threads=3), log) as running:
        assert running.description.build == {"compiler": "cc 12", "OMP_NUM_THREADS": "3"}


def test_what_libraries_print_goes_to_the_log(start: Starter, log: Path) -> None:
    with start() as running:
        running.generate(asking("aloud"))
        text = log.read_text()
    assert "loading on standard output" in text
    assert "asked: aloud" in text


def test_stopping_frees_the_model_and_can_be_repeated(start: Starter, log: Path) -> None:
    running = start()
    running.stop()
    running.stop()
    assert not alive(running.process_ids())
    assert "closed" in log.read_text()
    with pytest.raises(EngineCrashError, match="was stopped"):
        running.generate(asking("hello"))


def test_a_failed_load_is_a_failed_start(start: Starter) -> None:
    with pytest.raises(EngineStartError, match="no tensor of that name"):
        start("load_badly")


def test_a_crash_while_loading_names_the_signal(start: Starter) -> None:
    with pytest.raises(EngineCrashError, match=r"SIGILL.* loading the model") as raised:
        start("load_and_die")
    assert "instructions that this CPU does not run" in raised.value.hint


def test_an_engine_that_is_never_ready_is_ended(start: Starter) -> None:
    with pytest.raises(EngineStartError, match="not ready after 1 s"):
        start("load_never", start_timeout_s=1.0)


def test_a_failed_request_is_not_the_end(start: Starter) -> None:
    with start() as running:
        with pytest.raises(GenerationError, match="out of luck"):
            running.generate(asking("fail"))
        assert running.generate(asking("again")).text == "again"


def test_a_crash_names_the_signal_and_quotes_the_log(start: Starter) -> None:
    with start() as running:
        with pytest.raises(EngineCrashError, match="SIGSEGV") as raised:
            running.generate(asking("die SIGSEGV"))
        assert "last words" in raised.value.message
        with pytest.raises(EngineCrashError, match="SIGSEGV"):
            running.generate(asking("hello"))


def test_a_request_that_outlasts_its_time_ends_the_worker(start: Starter) -> None:
    with start() as running:
        with pytest.raises(GenerationError, match=r"no answer after 0\.2 s"):
            running.generate(asking("hang", timeout_s=0.2))
        assert not alive(running.process_ids())
        with pytest.raises(EngineCrashError, match="was ended while answering"):
            running.generate(asking("hello"))


def test_stop_from_another_thread_ends_a_request_under_way(start: Starter, log: Path) -> None:
    running = start()
    under_way = Asking(running, asking("hang"))
    wait_until(lambda: "asked: hang" in log.read_text(), "the request is under way")
    running.stop()
    under_way.end()
    assert isinstance(under_way.error, EngineCrashError)
    assert "was stopped while answering" in under_way.error.message
    assert not alive(running.process_ids())


def test_kill_9_in_mid_stream_is_a_crash(start: Starter, log: Path) -> None:
    with start() as running:
        under_way = Asking(running, asking("hang"))
        wait_until(lambda: "asked: hang" in log.read_text(), "the request is under way")
        os.kill(running.process_ids()[0], signal.SIGKILL)
        under_way.end()
        assert isinstance(under_way.error, EngineCrashError)
        assert "SIGKILL" in under_way.error.message
        assert "out of memory" in under_way.error.hint


def test_the_worker_leaves_ctrl_c_to_the_workbench(start: Starter) -> None:
    with start() as running:
        os.kill(running.process_ids()[0], signal.SIGINT)
        assert running.generate(asking("still here")).text == "still here"


@contextmanager
def ctrl_c_when(condition: Callable[[], bool], what: str) -> Iterator[None]:
    """A KeyboardInterrupt in this thread once that is so."""

    def interrupt(*args: object) -> None:
        raise KeyboardInterrupt

    def wait() -> None:
        wait_until(condition, what)
        signal.pthread_kill(main, signal.SIGALRM)

    main = threading.get_ident()
    earlier = signal.signal(signal.SIGALRM, interrupt)
    waiting = threading.Thread(target=wait)
    waiting.start()
    try:
        yield
    finally:
        waiting.join()
        signal.signal(signal.SIGALRM, earlier)


def test_ctrl_c_while_waiting_leaves_no_process(start: Starter, log: Path) -> None:
    running = start()
    under_way = ctrl_c_when(lambda: "asked: hang" in log.read_text(), "the request is under way")
    with pytest.raises(KeyboardInterrupt), under_way:
        running.generate(asking("hang"))
    assert not alive(running.process_ids())
    running.stop()


def test_an_orphan_of_a_dead_worker_is_found(start: Starter) -> None:
    with start() as running, pytest.raises(EngineCrashError, match="SIGKILL"):
        running.generate(asking("leave an orphan"))
    (worker,) = running.process_ids()
    assert not _session(worker)


def _session(leader: int) -> set[int]:
    """Processes of the session that `leader` began."""
    members = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if os.getsid(int(entry.name)) == leader:
                    members.add(int(entry.name))
            except ProcessLookupError:
                continue
    return alive(members)

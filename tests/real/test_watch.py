"""`polystack watch` beside a run in another process, which ends, is interrupted or is killed."""

from __future__ import annotations

import contextlib
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.contract.processes import wait_until
from tests.real.command import TIMEOUT_S, Marked
from tests.real.test_nothing_left import has_samples

WATCH = "from python_runner.cli import main; main()"
# Mocks answer at once; here they wait in mid-run until a file says that they may go on.
HELD = """
import time
from pathlib import Path
from python_runner.cli import main
from python_runner.engines import mock
answer, calls = mock.MockModel.generate, []
def held(model, request):
    calls.append(request)
    while len(calls) > 5 and not Path("go").exists():
        time.sleep(0.01)
    return answer(model, request)
mock.MockModel.generate = held
main()
"""
SLOW = HELD.replace('while len(calls) > 5 and not Path("go").exists():', "if True:").replace(
    "0.01", "0.3"
)
STUDY = ("compare", "demo", "--stacks", "mock-cpp,mock-go", "--iterations", "6", "--no-answers")
RUNNING = "\N{BLACK RIGHT-POINTING TRIANGLE} running"


@pytest.fixture
def marked(tmp_path: Path) -> Marked:
    return Marked(tmp_path)


@contextlib.contextmanager
def measuring(marked: Marked) -> Iterator[subprocess.Popen[str]]:
    """A run that has its first sample, and is held until there is a file `go`."""
    with subprocess.Popen(
        [sys.executable, "-c", HELD, *STUDY],
        cwd=marked.folder,
        env=marked.environment(),
        stdout=subprocess.PIPE,
        text=True,
    ) as bench:
        try:
            store = marked.folder / "results" / "polystack.sqlite"
            wait_until(lambda: has_samples(store, bench), "the first request has ended")
            yield bench
        finally:
            bench.kill()


@contextlib.contextmanager
def watching(marked: Marked) -> Iterator[subprocess.Popen[str]]:
    """Somebody watches, and has seen the run."""
    with marked.start("watch") as process:
        assert process.stdout is not None
        assert "Run 1: Gemma-2 tiny" in process.stdout.readline()
        yield process


def _nothing() -> None:
    """Nobody waits for that."""


def in_a_terminal(
    command: list[str], marked: Marked, once_running: Callable[[], None] = _nothing
) -> tuple[int, str]:
    """Run it where its output is a terminal; exit code and all that was drawn.

    `once_running` is called when a stack is drawn as running.
    """
    ours, theirs = pty.openpty()
    environment = {**marked.environment(), "COLUMNS": "80", "LINES": "40", "TERM": "xterm"}
    drawn = ""
    with subprocess.Popen(
        command, cwd=marked.folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        with contextlib.suppress(OSError):  # the other end is closed
            while part := os.read(ours, 1 << 16):
                drawn += part.decode(errors="replace")
                if RUNNING in drawn:
                    once_running()
                    once_running = _nothing
        code = process.wait(TIMEOUT_S)
    os.close(ours)
    assert "Traceback" not in drawn, drawn
    return code, drawn


def test_to_the_end_in_lines_for_a_pipe(marked: Marked) -> None:
    with measuring(marked) as bench, watching(marked) as watch:
        assert watch.stdout is not None
        assert "TTFT" in (line := watch.stdout.readline()), line
        assert " gone, " in line
        (marked.folder / "go").touch()
        printed, _ = watch.communicate(timeout=TIMEOUT_S)
        bench.communicate(timeout=TIMEOUT_S)
    assert (watch.returncode, bench.returncode) == (0, 0), printed
    assert "\x1b" not in printed
    assert "E2E latency" in printed, "the summary at the end"


def test_a_table_in_a_terminal_until_the_run_is_interrupted(marked: Marked) -> None:
    with measuring(marked) as bench:
        command = [sys.executable, "-c", WATCH, "watch"]
        interrupt = partial(bench.send_signal, signal.SIGINT)
        code, drawn = in_a_terminal(command, marked, once_running=interrupt)
        bench.communicate(timeout=TIMEOUT_S)
    assert (code, bench.returncode) == (130, 130), drawn
    assert "This run is marked as interrupted" in drawn


def test_the_run_itself_in_a_terminal(marked: Marked) -> None:
    code, drawn = in_a_terminal([sys.executable, "-c", SLOW, *STUDY], marked)
    assert code == 0, drawn
    assert RUNNING in drawn
    assert "E2E latency" in drawn


def test_a_run_that_is_killed_is_said_to_be_gone(marked: Marked) -> None:
    with measuring(marked) as bench, watching(marked) as watch:
        bench.kill()
        printed, _ = watch.communicate(timeout=TIMEOUT_S)
    assert watch.returncode == 1, printed
    assert "the process that measured it is gone" in printed
    assert "polystack show 1" in printed


def test_ctrl_c_leaves_the_run_alone(marked: Marked) -> None:
    with measuring(marked) as bench, watching(marked) as watch:
        watch.send_signal(signal.SIGINT)
        printed, _ = watch.communicate(timeout=TIMEOUT_S)
        assert watch.returncode == 130, printed
        assert "Run 1 goes on" in printed
        assert bench.poll() is None

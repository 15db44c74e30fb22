"""However the workbench ends, no process of its own is left.

Looked for twice: among the children of this process, and by a mark in the environment, which
is inherited by everything that was started, whoever its parent is by now.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from python_runner.common.progress import SilentProgress
from python_runner.engines.table import engine
from tests.contract.processes import no_process_left, wait_until
from tests.real.command import TIMEOUT_S, Marked

STACKS = ("llama.cpp", "ollama", "transformers")
# Each takes a fraction of a second, and each has a prompt that is made before the first.
LONG = ("--iterations", "500", "--threads", "1")
BUILD = """
import sys
from pathlib import Path
from python_runner.common.build.commands import run_build
from python_runner.common.progress import SilentProgress
with SilentProgress().task("a build") as task:
    run_build(["sh", "-c", "(sleep 600 & sleep 600) & sh -c 'sleep 600; true' & wait"],
              log=Path(sys.argv[1]), task=task)
"""


@pytest.fixture(scope="module", autouse=True)
def everything_is_built() -> None:
    for name in STACKS:
        engine(name).prepare(SilentProgress())


def test_a_run_to_the_end_leaves_nothing(tmp_path: Path) -> None:
    marked = Marked(tmp_path)
    with no_process_left():
        stacks = ",".join(STACKS)
        code, printed = marked.run(
            *("compare", "demo", "--stacks", stacks),
            *("--iterations", "1", "--warmup", "0", "--threads", "1"),
        )
    assert code == 0, printed
    assert not marked.processes()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("stack", ["llama.cpp", "ollama"])
def test_an_end_in_mid_run_leaves_nothing(tmp_path: Path, stack: str, how: signal.Signals) -> None:
    if how is signal.SIGKILL and sys.platform != "linux":
        pytest.skip("the kernel tells a child of its parent's end on Linux only")
    marked = Marked(tmp_path)
    store = tmp_path / "results" / "polystack.sqlite"
    with no_process_left(), marked.start("compare", "demo", "--stacks", stack, *LONG) as bench:
        try:
            wait_until(lambda: has_samples(store, bench), f"{stack} answers")
            assert len(marked.processes()) >= 2
        finally:
            os.kill(bench.pid, how)
        bench.communicate(timeout=TIMEOUT_S)
        wait_until(lambda: not marked.processes(), "all processes end")
    assert bench.returncode in {130, 128 + signal.SIGTERM, -signal.SIGKILL}


def has_samples(store: Path, bench: subprocess.Popen[str]) -> bool:
    import sqlite3

    assert bench.poll() is None, bench.communicate()[0]
    if not store.exists():
        return False
    connection = sqlite3.connect(f"file:{store}?mode=ro", uri=True)
    try:
        (count,) = connection.execute("SELECT count(*) FROM samples").fetchone()
    except sqlite3.OperationalError:
        return False  # its tables are being made
    finally:
        connection.close()
    return bool(count)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel tells a child of its parent's end")
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_build_whose_workbench_is_gone_ends_with_all_its_compilers(
    tmp_path: Path, how: signal.Signals
) -> None:
    marked = Marked(tmp_path)
    log = tmp_path / "log"
    command = [sys.executable, "-c", BUILD, str(log)]
    with no_process_left(), subprocess.Popen(command, env=marked.environment()) as bench:
        try:
            # The workbench, the guard, two shells, three that sleep; a shell may give itself up
            # for its last command.
            wait_until(lambda: len(marked.processes()) >= 6, "the build's children run")
        finally:
            os.kill(bench.pid, how)
        bench.wait(timeout=TIMEOUT_S)
        wait_until(lambda: not marked.processes(), "all compilers end")

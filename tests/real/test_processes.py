"""Children end with us, whatever happens, and with everything below them."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from python_runner.common.processes import describe_exit, start_child, stop_tree, tail
from tests.contract.processes import alive, wait_until

FAMILY = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
time.sleep(600)
"""
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("up", flush=True)
time.sleep(600)
"""
PARENT = """
import sys, time
from pathlib import Path
from python_runner.common.processes import start_child
sleep = [sys.executable, "-c", "import time; time.sleep(600)"]
print(start_child(sleep, log=Path(sys.argv[1])).pid, flush=True)
time.sleep(600)
"""


def wait_for_output(log: Path) -> str:
    # A whole line: the first bytes of a number are another number.
    wait_until(lambda: log.exists() and log.read_text().endswith("\n"), "the child prints a line")
    return tail(log).strip()


def is_gone(pid: int) -> bool:
    wait_until(lambda: not alive({pid}), f"process {pid} ends")
    return True


def test_stop_ends_children_and_grandchildren(tmp_path: Path) -> None:
    log = tmp_path / "log"
    child = start_child([sys.executable, "-c", FAMILY], log=log)
    grandchild = int(wait_for_output(log))
    stop_tree(child)
    assert is_gone(child.pid)
    assert is_gone(grandchild)


def test_stop_ends_grandchildren_whose_parent_was_killed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    child = start_child([sys.executable, "-c", FAMILY], log=log)
    grandchild = int(wait_for_output(log))
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    stop_tree(child)
    assert is_gone(grandchild)


def test_a_child_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    child = start_child([sys.executable, "-c", STUBBORN], log=log)
    wait_for_output(log)
    stop_tree(child, grace_s=0.2)
    assert describe_exit(child.returncode) == "signal SIGKILL"


def test_stopping_twice_is_harmless(tmp_path: Path) -> None:
    child = start_child([sys.executable, "-c", "pass"], log=tmp_path / "log")
    stop_tree(child)
    stop_tree(child)
    assert child.returncode is not None


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's promise is Linux's")
def test_a_child_dies_with_a_killed_parent(tmp_path: Path) -> None:
    log = tmp_path / "log"
    command = [sys.executable, "-c", PARENT, str(log)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.kill()
    assert is_gone(child)

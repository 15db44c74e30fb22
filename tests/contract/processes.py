"""Looking at processes from the tests' side."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress

import psutil

from python_runner.common.errors import EngineError
from python_runner.engines.contract import GenerateRequest, RunningEngine

PATIENCE_S = 120.0


def alive(pids: Iterable[int]) -> set[int]:
    """Those of `pids` that still run; a zombie does not."""
    found = set()
    for pid in pids:
        try:
            if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                found.add(pid)
        except psutil.NoSuchProcess:
            continue
    return found


def family(pids: Iterable[int]) -> set[int]:
    """`pids` and all that descends from them."""
    found = set(pids)
    for pid in tuple(found):
        with suppress(psutil.NoSuchProcess):
            found |= {child.pid for child in psutil.Process(pid).children(recursive=True)}
    return found


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Wait for `condition`; fails the test if it never comes."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"never happened: {what}")
        time.sleep(0.01)


@contextmanager
def no_process_left() -> Iterator[None]:
    """No child process that began inside the block is left after it.

    What is there before, such as a browser that tests share, may start and end processes of its
    own meanwhile: those are not looked at.
    """
    others = family(child.pid for child in psutil.Process().children())
    yield
    now = {child.pid for child in psutil.Process().children(recursive=True)}
    left = alive(now - others - family(alive(others)))
    assert not left, f"processes were left behind: {_commands(left)}"


def _commands(pids: Iterable[int]) -> list[str]:
    shown = []
    for pid in pids:
        with suppress(psutil.NoSuchProcess):
            shown.append(f"{pid}: {' '.join(psutil.Process(pid).cmdline())}")
    return shown


class Asking:
    """Another thread that asks the same again and again, until the engine fails it."""

    def __init__(self, running: RunningEngine, request: GenerateRequest) -> None:
        self.answers = 0
        self.error: EngineError | None = None
        self._thread = threading.Thread(target=self._ask, args=(running, request))
        self._thread.start()

    def _ask(self, running: RunningEngine, request: GenerateRequest) -> None:
        try:
            while True:
                running.generate(request)
                self.answers += 1
        except EngineError as error:
            self.error = error

    def wait_for_answers(self, count: int) -> None:
        """Wait until so many were given; the next one is then under way."""
        wait_until(
            lambda: self.answers >= count or not self._thread.is_alive(), f"{count} answers given"
        )
        assert self.error is None, self.error

    def end(self) -> None:
        """Wait until the engine has failed."""
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive(), "the request never returned"

"""However an engine defends itself, and however often Ctrl-C is pressed, nothing of it is left."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest

from python_runner.common.processes import start_child, stop_tree
from python_runner.engines.contract import Reach
from tests.contract.processes import alive, wait_until
from tests.faults.engines.pipeline import ASKED, Bench, Faulty
from tests.faults.fault import fault

_STUBBORN = ("sh", "-c", "trap '' TERM INT; echo ready; while :; do sleep 0.05; done")
_PATIENT_S = 60.0
_KEPT = "all finished samples"
_OURS = {Reach.EMBEDDED: "the worker", Reach.SERVED: "the server"}


def _family(reach: Reach) -> Faulty:
    return Faulty(reach=reach, also="ignores-sigterm grandchild daemon")


@pytest.fixture
def bring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Faulty], Bench]:
    def set_up(stack: Faulty) -> Bench:
        bench = Bench(folder=tmp_path, stacks=(stack,))
        bench.set_up(monkeypatch)
        return bench

    return set_up


@pytest.mark.parametrize(
    "reach",
    [
        pytest.param(
            reach,
            id=reach,
            marks=fault(
                f"{reach} engine ignores SIGTERM, and so do its grandchildren",
                injected=f"{_OURS[reach]}, a child of it, and a daemon that it forks twice with a "
                "session of its own, all ignore SIGTERM",
                seen="nothing: all are killed",
                kept=_KEPT,
            ),
        )
        for reach in Reach
    ],
)
def test_grandchildren_and_daemons_end_with_their_engine(
    bring: Callable[[Faulty], Bench], reach: Reach
) -> None:
    stack = _family(reach)
    bench = bring(stack)
    with bench.start(stack) as running:
        wait_until(lambda: len(bench.processes()) == 3, "engine, grandchild and daemon run")
        running.generate(ASKED)
    assert not bench.processes()


@contextmanager
def ctrl_c(times: int, *, first_s: float, every_s: float = 0.03) -> Iterator[None]:
    """KeyboardInterrupts in this thread, so many, from a moment on."""
    left = times

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            signal.setitimer(signal.ITIMER_REAL, 0)
        raise KeyboardInterrupt

    earlier = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, first_s, every_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, earlier)


@fault(
    "Ctrl-C again while a process is being ended",
    injected="a process that ignores SIGTERM; a KeyboardInterrupt while it is waited for",
    seen="it is killed at once, then the command ends with 130",
    kept=_KEPT,
)
def test_a_second_ctrl_c_leaves_no_process(tmp_path: Path) -> None:
    log = tmp_path / "log"
    child = start_child(_STUBBORN, log=log)
    wait_until(lambda: "ready" in log.read_text(), "it ignores SIGTERM")
    with pytest.raises(KeyboardInterrupt), ctrl_c(1, first_s=0.2):
        stop_tree(child, grace_s=_PATIENT_S)
    assert not alive({child.pid})


@pytest.mark.parametrize(
    "reach",
    [
        pytest.param(
            reach,
            id=reach,
            marks=fault(
                f"Ctrl-C again while an {reach} engine is stopped"
                if reach is Reach.EMBEDDED
                else f"Ctrl-C again while a {reach} engine is stopped",
                injected="a KeyboardInterrupt while it is stopped; it, its child and a daemon "
                "ignore SIGTERM",
                seen="the command ends with 130",
                kept=_KEPT,
            ),
        )
        for reach in Reach
    ],
)
def test_a_second_ctrl_c_leaves_nothing_of_an_engine(
    bring: Callable[[Faulty], Bench], reach: Reach
) -> None:
    stack = _family(reach)
    bench = bring(stack)
    running = bench.start(stack)
    wait_until(lambda: len(bench.processes()) == 3, "engine, grandchild and daemon run")
    with pytest.raises(KeyboardInterrupt), ctrl_c(1, first_s=0.3):
        running.stop()
    assert not bench.processes()
    running.stop()

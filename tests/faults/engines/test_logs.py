"""An engine that prints without end neither fills the disk nor the workbench's memory."""

from __future__ import annotations

import threading
from pathlib import Path

import psutil
import pytest

from python_runner.common.errors import EngineError
from python_runner.common.logs import LEFT_OUT, LIMIT_BYTES
from python_runner.engines.contract import Reach
from tests.contract.processes import wait_until
from tests.faults.engines.pipeline import ASKED, Bench, Faulty
from tests.faults.fault import fault

_MIB = 1 << 20
_QUICK_MIB, _LONG_MIB = 64, 1024


def _row(reach: Reach, mebibytes: int) -> pytest.MarkDecorator:
    size = "1 GiB" if mebibytes == _LONG_MIB else f"{mebibytes} MiB"
    return fault(
        f"{reach} engine prints {size} of log while it answers",
        injected="it writes to its standard output as fast as the disk takes it, and then dies",
        seen="beginning and end of the log, and a line where something was left out; the message "
        "quotes its last lines",
        kept=f"at most {LIMIT_BYTES // _MIB} MiB of log; the workbench's memory stays as it is",
    )


def _cases(mebibytes: int) -> list[object]:
    return [
        pytest.param(reach, mebibytes, id=f"{reach}-{mebibytes}", marks=_row(reach, mebibytes))
        for reach in Reach
    ]


@pytest.mark.parametrize(("reach", "mebibytes"), _cases(_QUICK_MIB))
def test_a_long_log_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reach: Reach, mebibytes: int
) -> None:
    _print_much(tmp_path, monkeypatch, reach, mebibytes)


@pytest.mark.soak
@pytest.mark.parametrize(("reach", "mebibytes"), _cases(_LONG_MIB))
def test_a_very_long_log_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reach: Reach, mebibytes: int
) -> None:
    _print_much(tmp_path, monkeypatch, reach, mebibytes)


def _print_much(
    folder: Path, monkeypatch: pytest.MonkeyPatch, reach: Reach, mebibytes: int
) -> None:
    stack = Faulty(reach=reach, fault=f"middle log-{mebibytes}", at=2, also="then-dies")
    bench = Bench(folder=folder, stacks=(stack,))
    bench.set_up(monkeypatch)
    log = folder / f"{stack.name}.log"
    with bench.start(stack) as running:
        running.generate(ASKED)
        before = psutil.Process().memory_info().rss
        with _Watched(log) as watched, pytest.raises(EngineError) as raised:
            running.generate(ASKED)
        grown = psutil.Process().memory_info().rss - before
    assert "end of a long log" in raised.value.message
    wait_until(lambda: log.stat().st_size <= LIMIT_BYTES, "the log was cut")
    kept = log.read_bytes()
    assert kept.startswith(b"version of the engine: 1\n")
    assert LEFT_OUT in kept
    # How much comes between two looks is the disk's affair; not all of a long log lies there.
    assert mebibytes == _QUICK_MIB or watched.largest < mebibytes * _MIB
    assert grown < 16 * _MIB


class _Watched:
    """The most that a file ever took of the disk, in bytes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.largest = 0

    def _watch(self) -> None:
        while not self._over.wait(0.01):
            self.largest = max(self.largest, self._path.stat().st_blocks * 512)

    def __enter__(self) -> _Watched:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._over.set()
        self._thread.join()

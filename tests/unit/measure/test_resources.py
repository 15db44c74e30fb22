"""What this very process uses is seen."""

from __future__ import annotations

import mmap
import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import psutil
import pytest

from python_runner.common.clock import NS_PER_MS
from python_runner.engines.mock import MockModel, MockScript
from python_runner.measure import resources
from python_runner.measure.resources import energy_counters, energy_since, metered
from python_runner.measure.time_watch import TimeWatch
from tests.unit.measure.test_stack import measure, plan

ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the figures are Linux's")


def package(folder: Path, name: str, microjoules: int, largest: int = 1_000_000) -> Path:
    made = folder / name
    made.mkdir()
    (made / "energy_uj").write_text(f"{microjoules}\n")
    (made / "max_energy_range_uj").write_text(f"{largest}\n")
    return made


@ON_LINUX
def test_work_and_memory_are_seen() -> None:
    # Pages of the kernel's own, small ones: an allocator may have some left, which nobody faults.
    with (
        mmap.mmap(-1, 64 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as memory,
        metered([os.getpid()]) as meter,
    ):
        memory.madvise(mmap.MADV_NOHUGEPAGE)
        begin = time.process_time_ns()
        while time.process_time_ns() - begin < 50 * NS_PER_MS:
            for place in range(0, len(memory), mmap.PAGESIZE):
                memory[place] = 1
    used = meter.used
    assert used["cpu_s"] >= 0.05
    assert used["user_cpu_s"] + used["system_cpu_s"] > 0
    assert used["minor_page_faults"] >= 64
    assert used["resident_bytes"] >= 64 << 20
    assert used["peak_resident_bytes"] >= used["resident_bytes"]
    assert used["voluntary_switches"] >= 0
    assert used["involuntary_switches"] >= 0
    assert used["major_page_faults"] >= 0


def test_processes_are_looked_up_by_one_and_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []
    real = resources.processes_below

    def below(roots: Iterable[int]) -> list[psutil.Process]:
        looked.append(1)
        return real(roots)

    ours = [os.getpid()]
    found = real(ours)
    monkeypatch.setattr(resources, "processes_below", below)
    with metered(ours, found) as meter:
        assert not looked
        begin = time.process_time_ns()
        while time.process_time_ns() - begin < 20 * NS_PER_MS:
            pass
    # Once more at the end: one that the engine has started meanwhile counts, too.
    assert looked == [1]
    assert 0.02 <= meter.used["cpu_s"] < time.process_time()


def test_the_watch_and_the_meter_of_a_request_share_what_was_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    watched: list[list[int]] = []
    follow = TimeWatch.follow

    def followed(watch: TimeWatch, processes: Iterable[int]) -> None:
        watched.append(list(processes))
        follow(watch, watched[-1])

    monkeypatch.setattr(TimeWatch, "follow", followed)
    monkeypatch.setattr(MockModel, "process_ids", lambda model: (os.getpid(),))
    kept, error = measure(MockScript(), plan(warmup=1, iterations=2))
    assert error == ""
    assert all(processes[0] == os.getpid() for processes in watched)
    assert len(watched) == 3
    assert all(sample.resources["resident_bytes"] > 0 for sample in kept.samples)
    assert not any(sample.time.is_suspended for sample in kept.samples)


def test_an_engine_without_processes_uses_nothing() -> None:
    with metered([]) as meter:
        pass
    assert meter.used == {}


def test_a_process_that_is_gone_uses_nothing() -> None:
    with metered([2**22 + 1]) as meter:
        pass
    assert meter.used == {}


def test_a_failure_passes_through() -> None:
    with pytest.raises(RuntimeError, match="boom"), metered([os.getpid()]) as meter:
        raise RuntimeError("boom")
    assert meter.used == {}


def test_energy_is_that_of_whole_processors(tmp_path: Path) -> None:
    first = package(tmp_path, "intel-rapl:0", 100)
    second = package(tmp_path, "intel-rapl:1", 999_900)
    part = package(tmp_path, "intel-rapl:0:0", 5)
    before = energy_counters(tmp_path)
    for folder, microjoules in ((first, 600_100), (second, 400_000), (part, 900_000)):
        (folder / "energy_uj").write_text(str(microjoules))
    # The second began anew: 100 up to its end, and 400,000 after it.
    assert energy_since(before) == pytest.approx(1.0001)


def test_energy_that_cannot_be_read_is_not_known(tmp_path: Path) -> None:
    assert energy_since(energy_counters(tmp_path)) is None
    folder = package(tmp_path, "intel-rapl:0", 100)
    before = energy_counters(tmp_path)
    (folder / "energy_uj").unlink()
    assert energy_since(before) is None
    assert energy_counters(tmp_path) == ()

"""Something else takes the processor, or something holds it back."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from python_runner.analyse.disturbed import disturbances
from python_runner.measure import MachineProbe, NoiseReading
from python_runner.measure.held_back import HeldBack
from python_runner.measure.sample import Sample
from python_runner.store import RunRecorder, Store, read_frames
from tests.faults.fault import fault
from tests.faults.time.measuring import facts, measured, plan
from tests.faults.time.test_suspended import mock_engine
from tests.unit.builders import condition, generation, sample, study

_BURNERS_A_CORE = 4
_BURN = "while True: pass"


@contextmanager
def burners() -> Iterator[None]:
    """Processes that compute, several for each processor."""
    with ExitStack() as stack:
        for _ in range(_BURNERS_A_CORE * (os.cpu_count() or 1)):
            burner = stack.enter_context(subprocess.Popen([sys.executable, "-c", _BURN]))
            stack.callback(burner.kill)
        yield


class BusyFrom(MachineProbe):
    """The machine gets busy before the third request, and quiet after the fourth."""

    def __init__(self, load: contextlib.AbstractContextManager[None]) -> None:
        super().__init__()
        self._load = load
        self.readings: list[NoiseReading] = []

    def read(self) -> NoiseReading:
        if len(self.readings) == 2:
            self._load.__enter__()
        if len(self.readings) == 4:
            self._load.__exit__(None, None, None)
        self.readings.append(super().read())
        return self.readings[-1]


@fault(
    "Something else loads the machine in the middle of a run",
    injected="four processes a core that compute, before the third and fourth of five requests",
    seen="before which requests the probe was kept from a processor, and how much slower it was",
    kept="all requests, with all their figures",
)
def test_burners_are_seen_by_the_probe(tmp_path: Path) -> None:
    probe = BusyFrom(burners())
    frames = measured(mock_engine(), tmp_path / "polystack.sqlite", plan(5), probe=probe)
    (found,) = disturbances(frames.samples, frames.conditions)
    assert {3, 4} <= set(found.busy)
    assert found.busy_times >= 1.25
    (note,) = (each for each in facts(frames).notes if "had the processor" in each)
    assert f"took up to {found.busy_times:.1f} times as long" in note
    assert list(frames.samples["error"]) == [""] * 5


def machine(root: Path, *, held: int, heat: int, steal: int, khz: int) -> int:
    """What Linux would say of process 7 and its machine, under `root`; returns the process."""
    files = {
        "proc/7/cgroup": "0::/box/inner\n",
        "proc/stat": f"cpu  1 2 3 4 5 6 7 {steal} 0 0\n",
        # The limit is set on the outer group; the inner one has none of its own.
        "sys/fs/cgroup/box/cpu.stat": f"nr_periods 9\nnr_throttled {held}\n"
        f"throttled_usec {held * 100_000}\n",
        "sys/fs/cgroup/box/inner/cpu.stat": "nr_periods 0\nnr_throttled 0\nthrottled_usec 0\n",
        "sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count": f"{heat}\n",
        "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq": f"{khz}\n",
        "sys/devices/system/cpu/cpu1/cpufreq/scaling_cur_freq": "400000\n",
    }
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return 7


def kept(path: Path, *samples: Sample) -> list[str]:
    """The notes of a run with these samples."""
    with Store(path) as store:
        with RunRecorder(store, study(iterations=len(samples)), {"cpu": "test"}) as recorder:
            recorder.begin(condition())
            for each in samples:
                recorder.record(each)
            recorder.finish(peak_memory_bytes=None, error="")
        return list(facts(read_frames(store)).notes)


@pytest.mark.parametrize(
    ("later", "words"),
    [
        pytest.param(
            {"held": 6},
            "a CPU limit (cgroup) held the engine for 0.50 s in all, in iteration 2",
            marks=fault(
                "A container's CPU limit throttles the engine",
                injected="a cgroup whose counters of throttling grow within a request",
                seen="in which requests, and for how long",
                kept="all requests, with all their figures",
            ),
        ),
        pytest.param(
            {"heat": 5},
            "processors were slowed for heat in iteration 2",
            marks=fault(
                "Processors are slowed for heat",
                injected="sysfs counters of thermal throttling that grow within a request",
                seen="in which requests",
                kept="all requests, with all their figures",
            ),
        ),
        pytest.param(
            {"khz": 1_500_000},
            "at the end of iteration 2 the fastest processor ran as low as 50 %",
            marks=fault(
                "The processor's frequency falls",
                injected="scaling_cur_freq at half of what it was at the request before",
                seen="after which requests, and how far below the highest of the run",
                kept="all requests, with all their figures",
            ),
        ),
        pytest.param(
            {"steal": 150},
            "the hypervisor gave 1.5 CPU seconds to others, in iteration 2",
            marks=fault(
                "A virtual machine's neighbours take its processors",
                injected="steal time in /proc/stat that grows within a request",
                seen="how much, and in which requests",
                kept="all requests, with all their figures",
            ),
        ),
    ],
)
def test_what_holds_the_machine_back_is_said(
    tmp_path: Path, later: dict[str, int], words: str
) -> None:
    quiet = {"held": 1, "heat": 2, "steal": 0, "khz": 3_000_000}
    root = tmp_path / "machine"
    used = []
    for values in (quiet, quiet | later):
        before = HeldBack.now([machine(root, **quiet)], root)
        now = HeldBack.now([machine(root, **values)], root)
        used.append(now.since(before, root))
    samples = [
        replace(sample(number, generation()), resources=found)
        for number, found in enumerate(used, start=1)
    ]
    notes = kept(tmp_path / "polystack.sqlite", *samples)
    assert [words in note for note in notes].count(True) == 1
    assert len(notes) == 1

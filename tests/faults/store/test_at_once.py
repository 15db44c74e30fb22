"""Several processes on one store."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import chain
from pathlib import Path

from python_runner.common.locations import source_root
from python_runner.store import Store, read_frames
from tests.faults.fault import fault
from tests.faults.store.stores import NAME

_RECORD = """
import sys
from pathlib import Path
from python_runner.store import Store
from tests.faults.store.stores import record_run
with Store(Path(sys.argv[1])) as store:
    print("ready", flush=True)
    sys.stdin.readline()
    for run in range(3):
        print(record_run(store, 20, first_ns=int(sys.argv[2]) * 10**15), flush=True)
"""
_RUNS, _SAMPLES = 3, 20


@fault(
    "two commands measure into one store at the same time, while a third reads",
    injected="two processes that keep three runs each at once; this one reads all the while",
    seen="nothing: each run has a number of its own",
    kept="every sample, each with its own run",
)
def test_two_runs_at_once_are_kept_apart(tmp_path: Path) -> None:
    path = tmp_path / NAME
    children = [
        subprocess.Popen(
            [sys.executable, "-c", _RECORD, str(path), str(number)],
            env={**os.environ, "PYTHONPATH": str(source_root())},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in (1, 2)
    ]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    for child in children:
        assert child.stdin is not None
        child.stdin.write("\n")
        child.stdin.flush()
    while any(child.poll() is None for child in children):
        with Store(path, create=False) as store:
            assert not read_frames(store).damage
    numbers = [[int(line) for line in child.communicate()[0].split()] for child in children]
    assert [child.returncode for child in children] == [0, 0]
    assert sorted(chain.from_iterable(numbers)) == list(range(1, 2 * _RUNS + 1))
    with Store(path, create=False) as store:
        frames = read_frames(store)
    assert not frames.damage
    for owner, mine in enumerate(numbers, start=1):
        samples = frames.samples[frames.samples["run_id"].isin(mine)]
        assert len(samples) == _RUNS * _SAMPLES
        assert set(samples["requested_ns"] // 10**15) == {owner}

"""Something stops running while requests are under way."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

from python_runner.analyse.compare import pairs_of_run
from python_runner.analyse.summary import summarise
from python_runner.analyse.tidy import tidy_samples
from python_runner.common.clock import NS_PER_S, ClockReading, SystemClocks
from python_runner.common.locations import source_root
from python_runner.common.progress import SilentProgress
from python_runner.engines.contract import Language, Reach, RunningEngine
from python_runner.engines.mock import MockEngine, MockScript, mock_spec
from python_runner.engines.table import engine
from python_runner.measure import Prompt
from python_runner.models import ReferenceTokenizer, prepare_model
from python_runner.store import Frames, Store, read_frames
from tests.faults.fault import fault
from tests.faults.time.measuring import (
    STOPPED_S,
    Meddled,
    facts,
    measured,
    plan,
    shown,
    slow_engine,
    stop_for_a_while,
)
from tests.unit.builders import settings

LEFT_OUT = "the request marked as suspended and left out, with what stopped and for how long"
OTHERS = "every sample with its stamps; the figures stand on the other requests"


def check_only_the_second_is_marked(frames: Frames, sign: str, *, at_least_s: float) -> None:
    """In the record, in the figures, in words, and for other programs."""
    rows = tidy_samples(frames.samples, frames.conditions, frames.runs)
    assert list(rows["outcome"]) == ["complete", "suspended", "complete"]
    assert list(rows["suspended_by"]) == ["", sign, ""]
    assert list(rows["suspended_ns"])[::2] == [0, 0]
    assert rows["suspended_ns"][1] >= at_least_s * NS_PER_S
    assert math.isnan(rows["e2e_ms"][1])
    assert math.isfinite(rows["e2e_ms"][0])
    summary = summarise(frames.samples, frames.conditions).iloc[0]
    assert (summary["n"], summary["n_timed"], summary["n_suspended"]) == (2, 3, 1)
    assert summary["n_failed"] == 0
    assert summary["e2e_max_ms"] == rows["e2e_ms"].max()
    (note,) = (each for each in facts(frames).notes if "did not run" in each)
    assert "1 of 3 requests, left out (iteration 2)" in note
    assert sign in note
    assert "suspended: " + sign in shown(frames)
    assert len(frames.samples["chunk_ns"][1]) == len(frames.samples["chunk_ns"][0])


@fault(
    "The engine's process is stopped and continued (SIGSTOP, SIGCONT)",
    injected="the worker process is stopped for 0.8 s in the middle of an answer",
    seen=LEFT_OUT,
    kept=OTHERS,
)
def test_a_stopped_engine(tmp_path: Path) -> None:
    meddled = Meddled(slow_engine(), {2: stop_for_a_while})
    frames = measured(meddled, tmp_path / "polystack.sqlite", plan(3))
    check_only_the_second_is_marked(frames, "engine stopped", at_least_s=STOPPED_S / 2)


@fault(
    "llama.cpp is stopped and continued",
    injected="SIGSTOP for 0.8 s to our worker with llama.cpp, within an answer of the tiny model",
    seen=LEFT_OUT,
    kept=OTHERS,
)
def test_a_stopped_llama_cpp(tmp_path: Path) -> None:
    llama = engine("llama.cpp")
    llama.prepare(SilentProgress())
    model = prepare_model("gemma-2-tiny", {"bf16"}, SilentProgress())
    launch = replace(settings(), model=model, threads=1)
    text = "one two three"
    prompt = Prompt(text=text, ids=ReferenceTokenizer(model.folder).encode(text))
    asked = replace(plan(3, tokens=400), prompts=(prompt,) * 3)
    meddled = Meddled(llama, {2: lambda running: stop_for_a_while(running, at_work_s=0.02)})
    frames = measured(meddled, tmp_path / "polystack.sqlite", asked, launch=launch)
    check_only_the_second_is_marked(frames, "engine stopped", at_least_s=STOPPED_S / 2)


@fault(
    "The workbench itself is stopped and continued",
    injected="SIGSTOP to the whole workbench for 1.5 s in the middle of an answer",
    seen=LEFT_OUT,
    kept=OTHERS,
)
def test_a_stopped_workbench(tmp_path: Path) -> None:
    path = tmp_path / "polystack.sqlite"
    command = [sys.executable, "-m", "tests.faults.time.measuring", str(path)]
    with subprocess.Popen(command, cwd=source_root(), stdout=subprocess.PIPE, text=True) as bench:
        assert bench.stdout is not None
        assert bench.stdout.readline() == "second\n"
        bench.send_signal(signal.SIGSTOP)
        time.sleep(1.5)
        bench.send_signal(signal.SIGCONT)
        assert bench.wait(60) == 0
    with Store(path) as store:
        frames = read_frames(store)
    check_only_the_second_is_marked(frames, "workbench stood still", at_least_s=0.7)


class Sleepy:
    """Clocks of a machine that sleeps when it is told to."""

    def __init__(self) -> None:
        self.slept_ns = 0
        self.set_ns = 0
        self.is_known = True

    def read(self) -> ClockReading:
        real = SystemClocks().read()
        boot_ns = None if real.boot_ns is None else real.boot_ns + self.slept_ns
        return replace(
            real,
            boot_ns=boot_ns if self.is_known else None,
            wall_ns=real.wall_ns + self.slept_ns + self.set_ns,
        )


def mock_engine(**script: object) -> MockEngine:
    spec = mock_spec("mock", Language.CPP, Reach.EMBEDDED)
    return MockEngine(spec, MockScript(**script))  # type: ignore[arg-type]


@fault(
    "A laptop sleeps in the middle of an answer",
    injected="a clock for CLOCK_BOOTTIME that gains an hour on CLOCK_MONOTONIC within a request",
    seen=LEFT_OUT,
    kept=OTHERS,
)
def test_a_machine_that_sleeps(tmp_path: Path) -> None:
    clocks = Sleepy()

    def sleep(_running: object) -> None:
        clocks.slept_ns += 3600 * NS_PER_S

    frames = measured(
        Meddled(mock_engine(), {2: sleep}), tmp_path / "polystack.sqlite", plan(3), clocks=clocks
    )
    check_only_the_second_is_marked(frames, "machine asleep", at_least_s=3599)
    assert not frames.samples["wall_jump_ns"].any()
    assert pairs_of_run(frames.samples, frames.conditions, frames.runs).empty


@fault(
    "A laptop sleeps and every request under way times out",
    injected="a machine that sleeps within four requests, all of which fail",
    seen="the requests marked as suspended with their errors; the stack is not given up for them",
    kept="all requests, and those after them are measured",
)
def test_timeouts_of_a_sleep_are_not_the_engines(tmp_path: Path) -> None:
    clocks = Sleepy()

    def sleep(_running: object) -> None:
        clocks.slept_ns += 10 * NS_PER_S

    failing = mock_engine(fail_at=frozenset({2, 3, 4, 5}))
    meddled = Meddled(failing, dict.fromkeys((2, 3, 4, 5), sleep))
    frames = measured(meddled, tmp_path / "polystack.sqlite", plan(6), clocks=clocks)
    summary = summarise(frames.samples, frames.conditions).iloc[0]
    assert (summary["n"], summary["n_suspended"], summary["n_failed"]) == (2, 4, 0)
    assert summary["error"] == ""
    assert "asleep for 10.0 s: mock C++ failed at request 2" in shown(frames)


@fault(
    "The engine is stopped until its request has run out of time",
    injected="SIGSTOP to the worker process, which nobody continues, and a time limit of 1.2 s",
    seen="the request marked as suspended, `started anew once`, with the reason; the stack goes on",
    kept="all requests, that one with its error; the new start, with when and why",
)
def test_an_engine_that_was_ended_for_a_standstill_is_started_anew(tmp_path: Path) -> None:
    def stop(running: RunningEngine) -> None:
        for pid in running.process_ids():
            os.kill(pid, signal.SIGSTOP)

    starts: list[int] = []
    meddled = Meddled(slow_engine(), {2: stop}, once=True, starts=starts)
    asked = replace(plan(3), timeout_s=1.2)
    frames = measured(meddled, tmp_path / "polystack.sqlite", asked)
    rows = tidy_samples(frames.samples, frames.conditions, frames.runs)
    assert list(rows["outcome"]) == ["complete", "suspended", "complete"]
    assert "had no answer after 1.2 s" in frames.samples["error"][1]
    assert list(rows["attempt"]) == [1, 1, 1]
    assert len(starts) == 2
    (restart,) = frames.conditions["failed_attempts"].item()
    assert (restart["iteration"], restart["attempt"]) == (2, 1)
    assert summarise(frames.samples, frames.conditions)["error"].item() == ""
    assert any("started anew once" in note for note in facts(frames).notes)


@fault(
    "A laptop sleeps while a model loads",
    injected="CLOCK_BOOTTIME gains ten seconds while the engine starts",
    seen="no load time, and why",
    kept="all requests",
)
def test_a_load_time_that_holds_a_sleep_is_not_one(tmp_path: Path) -> None:
    clocks = Sleepy()

    class Dozing(MockEngine):
        def start(self, *asked: object) -> object:  # type: ignore[override]
            clocks.slept_ns += 10 * NS_PER_S
            return super().start(*asked)  # type: ignore[arg-type]

    dozing = Dozing(mock_spec("mock", Language.CPP, Reach.EMBEDDED), MockScript())
    frames = measured(dozing, tmp_path / "polystack.sqlite", plan(2), clocks=clocks)
    assert frames.conditions["load_seconds"].isna().all()
    assert any(
        "load time is not known: machine asleep for 10.0 s" in n for n in facts(frames).notes
    )
    assert set(frames.samples["suspended_by"]) == {""}


@fault(
    "A system without a clock that counts sleep",
    injected="clocks without CLOCK_BOOTTIME",
    seen="nothing: whether it slept is kept as not known (NULL), never as zero",
    kept="all requests, and all figures",
)
def test_what_nobody_can_tell_is_not_known(tmp_path: Path) -> None:
    clocks = Sleepy()
    clocks.is_known = False
    frames = measured(mock_engine(), tmp_path / "polystack.sqlite", plan(2), clocks=clocks)
    assert frames.samples["suspended_ns"].isna().all()
    assert frames.samples["wall_jump_ns"].isna().all()
    assert summarise(frames.samples, frames.conditions)["n"].item() == 2

"""What Go's collector logs, and whose it is."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from python_runner.common.clock import NS_PER_MS, NS_PER_S, now_ns
from python_runner.engines.ollama.go_trace import (
    GoTrace,
    collections_in,
    is_collection,
    process_start_ns,
)

REST = "0.06+0.10/0.23/0.21+0.04 ms cpu, 4->4->0 MB, 4 MB goal, 0 MB stacks, 0 MB globals, 2 P"


def line(number: int, at_s: float, pauses: str = "0.01+0.28+0.03") -> str:
    return f"gc {number} @{at_s:.3f}s 2%: {pauses} ms clock, {REST}\n"


def test_a_line_says_how_long_each_phase_took() -> None:
    (found,) = collections_in(f"level=INFO msg=x\n{line(7, 2.104)}gc is a word\n")
    assert found.number == 7
    assert found.at_ns == 2_104 * NS_PER_MS
    assert found.pause_ns == pytest.approx(0.04 * NS_PER_MS)
    assert found.concurrent_ns == pytest.approx(0.28 * NS_PER_MS)
    assert found.cpu_ns == pytest.approx(0.64 * NS_PER_MS)


def test_a_forced_collection_is_one() -> None:
    assert is_collection(line(1, 0.5).strip() + " (forced)")
    assert not is_collection('msg="gc 1 of something"')


def add(log: Path, text: str) -> None:
    with log.open("a") as file:
        file.write(text)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log"
    path.write_text(line(1, 0.1) + line(2, 0.2) + line(1, 0.1))
    return path


def since_start(trace_start_ns: int) -> float:
    return (now_ns() - trace_start_ns) / NS_PER_S


def test_what_was_logged_before_does_not_count(log: Path) -> None:
    trace = GoTrace(log, {"server": now_ns() - NS_PER_S})
    assert trace.timings()["gc_cycles"] == 0
    add(log, line(3, 1.0))
    assert trace.timings()["gc_cycles"] == 1
    assert trace.timings()["gc_cycles"] == 0


def test_a_request_has_what_was_logged_since_the_last_look(log: Path) -> None:
    trace = GoTrace(log, {"server": now_ns() - NS_PER_S})
    add(log, line(3, 1.0))
    trace.skip()
    add(log, line(4, 1.1) + line(5, 1.2))
    figures = trace.timings()
    assert figures["gc_cycles"] == figures["gc_server_cycles"] == 2
    assert figures["gc_pause_ns"] == pytest.approx(0.08 * NS_PER_MS)


def test_the_beginning_of_a_line_waits_for_its_end(log: Path) -> None:
    trace = GoTrace(log, {"server": now_ns() - NS_PER_S})
    whole = line(3, 1.0)
    add(log, whole[:30])
    assert trace.timings()["gc_cycles"] == 0
    add(log, whole[30:])
    assert trace.timings()["gc_cycles"] == 1


def test_processes_are_told_apart_by_when_they_started(log: Path) -> None:
    server_ns, runner_ns = now_ns() - 90 * NS_PER_S, now_ns() - 60 * NS_PER_S
    trace = GoTrace(log, {"server": server_ns, "runner": runner_ns})
    add(log, line(9, since_start(server_ns)) + line(4, since_start(runner_ns)))
    figures = trace.timings()
    assert (figures["gc_server_cycles"], figures["gc_runner_cycles"]) == (1, 1)
    assert figures["gc_cycles"] == 2


def test_processes_of_about_one_age_are_told_apart_by_their_counts(log: Path) -> None:
    started_ns = now_ns() - 60 * NS_PER_S
    trace = GoTrace(log, {"server": started_ns, "runner": started_ns + 10 * NS_PER_S})
    add(log, line(30, since_start(started_ns)))
    add(log, line(5, since_start(started_ns) - 10))
    trace.skip()
    slow = GoTrace(log, {"server": started_ns, "runner": started_ns})
    slow._numbers.update({"server": 30, "runner": 5})
    add(log, line(31, since_start(started_ns)) + line(6, since_start(started_ns)))
    figures = slow.timings()
    assert (figures["gc_server_cycles"], figures["gc_runner_cycles"]) == (1, 1)


@pytest.mark.skipif(sys.platform != "linux", reason="read from /proc")
def test_when_a_process_started() -> None:
    started_ns = process_start_ns(os.getpid())
    assert 0 < started_ns < now_ns()
    with pytest.raises(OSError, match="No such file"):
        process_start_ns(2**22 + 1)

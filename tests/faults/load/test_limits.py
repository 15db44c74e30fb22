"""More streams than this machine, or the server, has room for."""

from __future__ import annotations

import contextlib
import resource
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from python_runner.common.progress import SilentProgress
from python_runner.engines.served.truth import prepare_truth_server, truth_server
from tests.faults.fault import fault
from tests.real.command import Marked

FILES = 256
BRIEF = ("--model", "m", "--new-tokens", "4", "--prompt-tokens", "8")


@pytest.fixture(scope="module")
def server_class() -> Any:
    return truth_server(prepare_truth_server(SilentProgress()))


def run(folder: Path, limits: tuple[int, int], *words: str) -> tuple[int, str]:
    """`polystack` with these limits of open files, soft and hard."""
    marked = Marked(folder)
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    with marked.start(*words) as process:
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, limits)
        printed, _ = process.communicate(timeout=120)
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == before
    assert "Traceback" not in printed
    return process.returncode, printed


def rows(folder: Path, query: str) -> list[Any]:
    with contextlib.closing(sqlite3.connect(folder / "results" / "polystack.sqlite")) as store:
        return store.execute(query).fetchall()


@fault(
    "1,000 users where a process may have 256 open files",
    injected="the soft and the hard limit of open files",
    seen="how many files it takes and how many there may be, before anything starts; exit code 2",
    kept="nothing was begun, and nothing is stored",
)
def test_too_few_files(server_class: Any, tmp_path: Path) -> None:
    server = server_class()
    words = ("load", "--url", server.url, "--users", "1000", *BRIEF)
    code, printed = run(tmp_path, (FILES, FILES), *words)
    assert code == 2, printed
    assert "1000 users need 2128 open files, and this process may have 256" in printed
    assert "ulimit" in printed
    assert not (tmp_path / "results").exists()
    assert not server.truth().request_id


@fault(
    "More users than the soft limit of open files",
    injected="a soft limit of 256 below a hard one of 4,096",
    seen="that the limit was raised, from what and to what; exit code 0",
    kept="everything",
)
def test_a_soft_limit(server_class: Any, tmp_path: Path) -> None:
    server = server_class(ttft="5ms", itl="2ms")
    words = ("load", "--url", server.url, "--users", "80", "--requests", "160", *BRIEF)
    code, printed = run(tmp_path, (FILES, 4096), *words)
    assert code == 0, printed
    assert "may have 288 open files now" in printed
    assert rows(tmp_path, "SELECT count(*), sum(error_kind = '') FROM load_requests") == [
        (160, 160)
    ]


@fault(
    "An open loop that the server does not keep up with, and no file left for a connection",
    injected="300 requests a second of 1.5 s each where 256 files may be open",
    seen="a warning that the client was late, by how much, and that latencies have it",
    kept="every request: it waits for a connection, and its latency counts from when it was due",
)
def test_an_open_loop_without_files(server_class: Any, tmp_path: Path) -> None:
    server = server_class(ttft="1400ms", itl="30ms")
    words = ("--rate", "300", "--arrivals", "constant", "--duration", "2s", "--warmup", "0")
    code, printed = run(tmp_path, (FILES, FILES), "load", "--url", server.url, *words, *BRIEF)
    assert code == 0, printed
    assert "the client was late" in printed
    ((count, whole, users),) = rows(
        tmp_path,
        "SELECT count(*), sum(error_kind = ''), count(DISTINCT user) FROM load_requests",
    )
    assert (count, whole) == (600, 600)
    assert users < FILES
    # 600 requests of 1.5 s over fewer than 200 connections: the last waited for others.
    ((worst_ns,),) = rows(
        tmp_path, "SELECT max(sent_ns - scheduled_ns - connect_ns) FROM load_requests"
    )
    assert worst_ns > 1_000_000_000

"""A thousand streams at once, for ten seconds or ten minutes."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import psutil
import pytest

from python_runner.common.clock import NS_PER_S, now_ns
from python_runner.common.locations import source_root
from tests.faults.fault import fault
from tests.faults.load.client_program import STORE
from tests.faults.load.kept import Answer, answers_of

USERS = 1000
BRIEF, LONG = 20, 100
"""Tokens of an answer: two seconds, and ten."""
SOAK_S = float(os.environ.get("POLYSTACK_SOAK_S", "600"))
"""How long the long one lasts."""
SOAK_FOLDER = os.environ.get("POLYSTACK_SOAK_FOLDER", "")
"""Where its table is kept besides, if anywhere."""
_LONG_RUN = 2
"""The first run of the client's is the short one that opens everything."""
_MINUTE_S = 60.0
_LEAST_FOR_A_TREND_S = 300.0
_MOST_GROWTH = 0.05


@dataclass
class Sampler:
    """Looks at processes once a second, from outside."""

    processes: dict[str, psutil.Process]
    rows: list[dict[str, int]] = field(default_factory=list)

    @contextlib.contextmanager
    def at_work(self) -> Iterator[None]:
        ended = threading.Event()
        thread = threading.Thread(target=self._look, args=(ended,))
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _look(self, ended: threading.Event) -> None:
        while not ended.wait(1.0):
            with contextlib.suppress(psutil.Error):
                self.rows.append(
                    {"monotonic_ns": now_ns()}
                    | {
                        f"{name}_{what}": value
                        for name, process in self.processes.items()
                        for what, value in (
                            ("rss_bytes", process.memory_info().rss),
                            ("files", process.num_fds()),
                            ("threads", process.num_threads()),
                        )
                    }
                )

    def write(self, path: Path) -> None:
        with path.open("w", encoding="utf-8", newline="") as file:
            table = csv.DictWriter(file, list(self.rows[0]))
            table.writeheader()
            table.writerows(self.rows)


@dataclass(frozen=True)
class Put:
    """A load that is over."""

    answers: tuple[Answer, ...]
    ledger: dict[str, int]
    """Of the server's: its number of each request it has answered, to the tokens of it."""
    counted: dict[str, dict[str, int]]
    """Files and threads of the client before and after."""
    sampler: Sampler
    level: dict[str, float]


def program(name: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", f"tests.faults.load.{name}", *map(str, arguments)],
        cwd=source_root(),
        stdout=subprocess.PIPE,
        text=True,
    )


@contextlib.contextmanager
def ended(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    with process:
        try:
            yield process
        finally:
            process.terminate()


def put(folder: Path, seconds: float, tokens: int, *, stands_still_s: float = 0.0) -> Put:
    """Put a thousand users on the server for so long, and read what came of it."""
    times = {"ttft": "uniform:50ms,350ms", "itl": "uniform:80ms,120ms", "numbered": True}
    ledger = folder / "ledger"
    with ended(program("server_program", json.dumps(times), ledger)) as server:
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        how = (url, folder, USERS, seconds, tokens, int(tokens == LONG))
        with ended(program("client_program", *how)) as client:
            processes = {"client": psutil.Process(client.pid), "server": psutil.Process(server.pid)}
            sampler = Sampler(processes)
            with sampler.at_work():
                if stands_still_s:
                    _stand_still(client, folder / STORE, stands_still_s)
                printed, _ = client.communicate(timeout=seconds + 120)
        assert client.returncode == 0, printed
    return Put(
        answers=tuple(answers_of(folder / STORE, _LONG_RUN)),
        ledger={
            number: int(tokens)
            for number, tokens in (line.split() for line in ledger.read_text().splitlines())
        },
        counted=json.loads(printed),
        sampler=sampler,
        level=_level(folder / STORE),
    )


def _level(path: Path) -> dict[str, float]:
    with contextlib.closing(sqlite3.connect(path)) as store:
        store.row_factory = sqlite3.Row
        rows = store.execute(
            "SELECT l.started_ns, l.ended_ns, l.client_cpu_s, l.error FROM load_levels l"
            " JOIN conditions USING (condition_id) WHERE run_id = ?",
            (_LONG_RUN,),
        ).fetchall()
    (row,) = rows
    assert not row["error"]
    return dict(row)


def _stand_still(client: subprocess.Popen[str], path: Path, seconds: float) -> None:
    """Stop the client for a while in the middle of its streams."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not _has_answers(path):
        time.sleep(0.2)
    client.send_signal(signal.SIGSTOP)
    time.sleep(seconds)
    client.send_signal(signal.SIGCONT)


def _has_answers(path: Path) -> bool:
    with (
        contextlib.suppress(sqlite3.Error),
        contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as store,
    ):
        (count,) = store.execute("SELECT max(level_id) FROM load_requests").fetchone()
        return bool(count == _LONG_RUN)
    return False


def check_whole(found: Put, tokens: int) -> None:
    """Every token of every stream is there, once, and nothing else is."""
    assert {answer.error_kind for answer in found.answers} == {""}
    assert {answer.tokens for answer in found.answers} == {tokens}
    # The client numbers its requests as it sends them: none is missing, none is there twice.
    assert [answer.number for answer in found.answers] == list(range(len(found.answers)))
    kept = {answer.served for answer in found.answers}
    assert len(kept) == len(found.answers) >= USERS
    # All that the server has answered since the first of them is in the store.
    first = min(int(number) for number in kept)
    assert kept == {number for number in found.ledger if int(number) >= first}
    assert {found.ledger[number] for number in kept} == {tokens}


def check_nothing_left_open(found: Put) -> None:
    assert found.counted["before"] == found.counted["after"]


def minutes(found: Put, column: str) -> list[float]:
    """The median of each minute of the level, the last one counted from its end."""
    began, over = found.level["started_ns"], found.level["ended_ns"]
    whole = int((over - began) / NS_PER_S // _MINUTE_S)
    starts = [began + place * _MINUTE_S * NS_PER_S for place in range(max(0, whole - 1))]
    starts.append(max(began, over - _MINUTE_S * NS_PER_S))
    return [
        median(
            row[column]
            for row in found.sampler.rows
            if start <= row["monotonic_ns"] < start + _MINUTE_S * NS_PER_S
        )
        for start in starts
    ]


def growth(values: list[float]) -> float:
    return values[-1] / values[0] - 1


@fault(
    "1,000 streams at once for ten seconds",
    injected="the workbench's client on a server that numbers every token and keeps count",
    seen="nothing out of the ordinary",
    kept="every token of every stream, once; files and threads are as many as before",
)
def test_a_thousand_streams(tmp_path: Path) -> None:
    found = put(tmp_path, 10.0, BRIEF)
    check_whole(found, BRIEF)
    check_nothing_left_open(found)


@pytest.mark.soak
@fault(
    "The reader stands still while 1,000 streams go on",
    injected="SIGSTOP to the client for two seconds, then SIGCONT",
    seen="tokens that came meanwhile share one read: their gaps are not known, and never 0",
    kept="every token of every stream, once",
)
def test_a_reader_that_stands_still(tmp_path: Path) -> None:
    found = put(tmp_path, 3.0, BRIEF, stands_still_s=2.0)
    check_whole(found, BRIEF)
    assert sum(answer.unknown_gaps > 0 for answer in found.answers) > USERS / 10


@pytest.mark.soak
@fault(
    "1,000 streams at once for ten minutes",
    injected="the same for 600 s (`POLYSTACK_SOAK_S`), memory of client and server sampled",
    seen="nothing out of the ordinary; memory within 5 % from the first minute to the last",
    kept="every token of every stream, once; files and threads are as many as before",
)
def test_a_thousand_streams_for_ten_minutes(tmp_path: Path) -> None:
    found = put(tmp_path, SOAK_S, LONG)
    folder = Path(SOAK_FOLDER or tmp_path)
    found.sampler.write(folder / "memory.csv")
    seconds = (found.level["ended_ns"] - found.level["started_ns"]) / NS_PER_S
    figures = {
        "seconds": seconds,
        "requests": len(found.answers),
        "tokens": sum(answer.tokens for answer in found.answers),
        "client_cpu_s": found.level["client_cpu_s"],
        "counted": found.counted,
        **{
            f"{name}_mib_by_minute": [round(each / 2**20, 1) for each in minutes(found, column)]
            for name, column in (("client", "client_rss_bytes"), ("server", "server_rss_bytes"))
        },
    }
    (folder / "figures.json").write_text(json.dumps(figures, indent=1), encoding="utf-8")
    check_whole(found, LONG)
    check_nothing_left_open(found)
    if seconds >= _LEAST_FOR_A_TREND_S:
        assert growth(minutes(found, "client_rss_bytes")) < _MOST_GROWTH
        assert growth(minutes(found, "server_rss_bytes")) < _MOST_GROWTH

"""A server under load is stopped and continued."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx

from python_runner.common.locations import source_root
from python_runner.common.progress import SilentProgress
from python_runner.engines.contract import Dialect, Endpoint
from python_runner.engines.outside.dialects import PATHS
from python_runner.engines.served.load_client import LoadClient, LoadShape, Sending
from python_runner.engines.served.streaming import prepare_stream_client
from python_runner.measure.load.drive import drive
from python_runner.measure.time_watch import TimeWatch
from python_runner.report.load_data import load_data
from python_runner.report.load_facts import load_facts
from python_runner.store import Frames, LoadRunRecorder, Store, read_frames
from tests.contract.processes import wait_until
from tests.faults.fault import fault
from tests.unit.builders import condition, study
from tests.unit.load_builders import closed
from tests.unit.measure.load.fakes import Notes

_REQUESTS = 16
_BODY = json.dumps({"prompt": "x", "max_tokens": 10, "stream": True}).encode()
_STOPPED_S = 1.5


def _answered(url: str) -> int:
    """Requests that the server has answered so far."""
    return len(httpx.get(f"{url}/truth", timeout=30.0).json()["requests"])


def put_load(url: str, pid: int, path: Path) -> Frames:
    """Two users, a watch on the server's process, kept as every load is."""
    endpoint = Endpoint(
        url=url + PATHS[Dialect.OPENAI_COMPLETIONS],
        dialect=Dialect.OPENAI_COMPLETIONS,
        model="truth",
    )
    client = LoadClient(prepare_stream_client(SilentProgress()))
    level = closed(requests=_REQUESTS, duration_s=None, new_tokens=10)
    shape = LoadShape(users=2, requests=_REQUESTS)
    with Store(path) as store, LoadRunRecorder(store, study(), {"cpu": "test"}) as recorder:
        recorder.begin(condition())
        recorder.begin_level(level, None)
        with TimeWatch([pid]) as watch:
            drive(
                lambda: client.start(endpoint, [_BODY], shape, Sending()),
                level,
                secrets=(),
                recorder=recorder,
                peak_memory=lambda: None,
                task=Notes(),
                watch=watch,
            )
        recorder.finish(peak_memory_bytes=None, error="")
        return read_frames(store)


@fault(
    "A server is stopped and continued while users wait",
    injected="SIGSTOP for 1.5 s to a server that streams to two users",
    seen="how many requests were under way, left out with the reason; rates are not known",
    kept="all requests with their stamps; the others' latencies are figures",
)
def test_a_stopped_server_under_load(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.faults.time.truth_program"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=source_root(), stdin=pipe, stdout=pipe, text=True) as server:
        assert server.stdout is not None
        url = server.stdout.readline().strip()

        def stop() -> None:
            wait_until(lambda: _answered(url) >= 2, "two requests have their answers")
            os.kill(server.pid, signal.SIGSTOP)
            time.sleep(_STOPPED_S)
            os.kill(server.pid, signal.SIGCONT)

        stopping = threading.Thread(target=stop)
        stopping.start()
        frames = put_load(url, server.pid, tmp_path / "polystack.sqlite")
        stopping.join()
        server.communicate(timeout=30)
    assert server.returncode == 0
    data = load_data(frames)
    row = data.levels.iloc[0]
    assert row["n_requests"] == _REQUESTS
    # Those under way; and, as looks are a tenth of a second apart, some just before and after.
    assert 2 <= row["n_suspended"] <= _REQUESTS // 2
    assert row["n_failed"] == 0
    lost = data.figures[data.figures["outcome"] == "suspended"]
    assert set(lost["suspended_by"]) == {"engine stopped"}
    assert lost["ttft_ms"].isna().all()
    assert math.isfinite(row["ttft_p50_ms"])
    assert row["e2e_p99_ms"] < _STOPPED_S * 1000
    assert math.isnan(row["tokens_per_s"])
    (note,) = (each for each in load_facts(data).notes if "did not run" in each)
    assert f"{row['n_suspended']} of {_REQUESTS} requests" in note
    assert "engine stopped for" in note

"""The bench of clients, small: every client sees every event; no time is asserted."""

from __future__ import annotations

import math
from pathlib import Path

from python_runner.common.progress import SilentProgress
from python_runner.run.client_bench import Bench, run_bench
from tests.contract.processes import no_process_left
from tests.real.command import Marked


def test_every_client_sees_every_event(tmp_path: Path) -> None:
    bench = Bench(streams=(4,), rounds=1, ttft_ms=5, itl_ms=2, tokens=6)
    with no_process_left():
        rows = list(run_bench(bench, SilentProgress(), logs=tmp_path))
    assert [row.client for row in rows] == ["floor (C++)", "polystack (Rust)", "httpx", "aiohttp"]
    for row in rows:
        assert row.figures is not None, row.client
        assert math.isfinite(row.figures.ttft_p99_ms)
        assert row.figures.cpu_s_per_1000_events > 0


def test_the_command_prints_a_table_and_writes_it(tmp_path: Path) -> None:
    code, printed = Marked(tmp_path).run(
        *("bench-client", "--streams", "2", "--rounds", "1", "--tokens", "4", "--burst"),
        *("--csv", str(tmp_path / "bench.csv")),
    )
    assert code == 0, printed
    assert "requests all at once" in printed
    lines = (tmp_path / "bench.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("client,streams,ttft_p50_ms")
    assert len(lines) == 5


def test_a_number_of_streams_that_is_none(tmp_path: Path) -> None:
    code, printed = Marked(tmp_path).run("bench-client", "--streams", "4,many")
    assert code == 2
    assert "--streams: 'many'" in printed

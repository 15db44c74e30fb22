import pytest
from rich.cells import cell_len
from rich.console import RenderableType

from python_runner.common.errors import UsageError
from python_runner.measure.load.level import Level
from python_runner.report.of_run import report_of
from python_runner.report.terminal import runs_table
from python_runner.store import Frames
from tests.golden.compare import assert_golden, rendered
from tests.golden.frames import build_frames
from tests.golden.loads import LLAMA, LOADS, build_load, closed_levels
from tests.unit.load_builders import FakeRequest, closed, load_frames, opened

CASES = {"load-troubled": "troubled", "load-open": "open"}


def table(frames: Frames, report: str) -> RenderableType:
    if report == "runs":
        return runs_table(frames)
    found = report_of(frames)
    return found.summary() if report == "summary" else found.detail()


@pytest.mark.parametrize("width", [100, 80])
@pytest.mark.parametrize("report", ["summary", "detail", "runs"])
@pytest.mark.parametrize("name", CASES)
def test_golden(name: str, report: str, width: int) -> None:
    found = rendered(table(LOADS[CASES[name]](), report), width)
    assert_golden(f"{name}-{report}-{width}.txt", found)


@pytest.mark.parametrize("width", [60, 120])
@pytest.mark.parametrize("report", ["summary", "detail", "runs"])
@pytest.mark.parametrize("case", LOADS)
def test_every_load_fits_every_terminal(case: str, report: str, width: int) -> None:
    found = rendered(table(LOADS[case](), report), width)
    assert max(cell_len(line) for line in found.splitlines()) <= width


def test_the_clients_own_error_stands_beside_every_latency() -> None:
    found = rendered(report_of(build_load([LLAMA], closed_levels([4]))).summary(), 100)
    assert "32.6 ms \N{PLUS-MINUS SIGN} 0.16" in found
    assert "10.9 ms \N{PLUS-MINUS SIGN} 0.04" in found


def test_a_percentile_of_too_few_requests_is_marked() -> None:
    few = rendered(report_of(build_load([LLAMA], closed_levels([4]))).summary(), 100)
    many = rendered(report_of(build_load([LLAMA], closed_levels([4], requests=400))).summary(), 100)
    assert "~36" in few
    assert "p99 takes 299 requests" in few
    assert "~" not in many


def test_a_list_of_runs_needs_no_stamps() -> None:
    frames = LOADS["one stack"]()
    needed = ["run_id", "condition_id", "level_id", "number", "error_kind"]
    brief = Frames(
        samples=frames.samples,
        conditions=frames.conditions,
        runs=frames.runs,
        load_levels=frames.load_levels,
        load_requests=frames.load_requests[needed],
    )
    found = rendered(runs_table(brief), 100)
    assert "1, 4, 16 users" in found
    assert "240" in found


def test_a_comparison_has_the_reports_of_a_comparison() -> None:
    found = rendered(report_of(build_frames().stored()).summary(), 100)
    assert "fastest" in found


def test_a_report_is_about_one_run() -> None:
    frames = LOADS["one stack"]()
    none = Frames(
        samples=frames.samples,
        conditions=frames.conditions,
        runs=frames.runs.iloc[:0],
        load_levels=frames.load_levels,
        load_requests=frames.load_requests,
    )
    with pytest.raises(UsageError, match="about one run"):
        report_of(none)


@pytest.mark.parametrize(("level", "part"), [(closed(1), "not in"), (opened(), "part of")])
def test_connections_that_had_to_be_opened_are_told(level: Level, part: str) -> None:
    requests = [
        FakeRequest(
            scheduled=100.0 * turn,
            sent=100.0 * turn + 3,
            chunks=[100.0 * turn + 50, 100.0 * turn + 60],
            connect=3.0,
            tls=2.0,
        )
        for turn in range(20)
    ]
    frames = load_frames((level, requests))
    found = rendered(report_of(frames).summary(), 200)
    assert "requests had to open a connection (median up to 3 ms, 2 ms of it TLS)" in found
    assert f"that is {part} TTFT" in found

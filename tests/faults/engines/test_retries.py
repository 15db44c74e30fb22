"""What failed is tried again where that is asked for, and the record says so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from python_runner.report.of_run import report_of
from tests.cells import cell
from tests.contract.processes import no_process_left
from tests.faults.engines.doing import LAST_WORDS
from tests.faults.engines.pipeline import ITERATIONS, WARMUP, Bench, Faulty, Ran, both
from tests.faults.fault import fault
from tests.golden.compare import rendered

ALL = WARMUP + ITERATIONS
CRASH = both("middle SIGSEGV", once=True)
HANG = both("middle hang", once=True)
START = both("loading SIGKILL", once=True)
ALWAYS = both("middle SIGILL", at=2)
"""At the first timed request after each start: these are given up."""


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    bench = Bench(
        folder=tmp_path_factory.mktemp("retries"), stacks=(*CRASH, *HANG, *START, *ALWAYS)
    )
    with pytest.MonkeyPatch.context() as patch, no_process_left():
        bench.set_up(patch)
        yield bench.compare(retries=1, stall_timeout="2s")


def _attempts(ran: Ran, stack: Faulty) -> list[dict[str, object]]:
    conditions = ran.frames.conditions.set_index("stack")
    found: list[dict[str, object]] = cell(conditions, stack.name, "failed_attempts")
    return found


def _printed(ran: Ran) -> str:
    return rendered(report_of(ran.frames).detail(), 400)


def _again(stack: Faulty) -> pytest.MarkDecorator:
    what = "crashes" if "SIG" in stack.fault else "hangs"
    return fault(
        f"{stack.reach} engine {what} once in mid-stream, with `--retries 1`",
        injected=f"it {what} at its third request, and never again",
        seen="`1 of 4 requests needed a second attempt`, with the reason; exit code 0",
        kept="all samples, that one with its attempt, and the failed attempt with its time",
    )


@pytest.mark.parametrize(
    "stack", [pytest.param(s, id=s.name, marks=_again(s)) for s in (*CRASH, *HANG)]
)
def test_a_request_that_failed_is_asked_again(tried: Ran, stack: Faulty) -> None:
    assert stack.name not in tried.outcome.broken
    assert tried.answered(stack.name) == ALL
    rows = tried.samples(stack.name)
    assert [row["attempt"] for row in rows] == [1, 1, 2, 1]
    (failed,) = _attempts(tried, stack)
    assert (failed["block"], failed["iteration"], failed["attempt"]) == (1, 2, 1)
    # The sample counts from a request of its own, after the attempt that failed.
    assert rows[2]["requested_ns"] > int(str(failed["ended_ns"]))
    assert f"{stack.name}: 1 of 4 requests needed a second attempt" in _printed(tried)
    tried.assert_well()


def _start(stack: Faulty) -> pytest.MarkDecorator:
    return fault(
        f"{stack.reach} engine dies at its first start, with `--retries 1`",
        injected="SIGKILL while it loads, and never again",
        seen="`1 failed start made again`, with the reason; exit code 0",
        kept="all samples, and the failed start with its time",
    )


@pytest.mark.parametrize("stack", [pytest.param(s, id=s.name, marks=_start(s)) for s in START])
def test_a_start_that_failed_is_made_again(tried: Ran, stack: Faulty) -> None:
    assert stack.name not in tried.outcome.broken
    assert tried.answered(stack.name) == ALL
    (failed,) = _attempts(tried, stack)
    assert failed["iteration"] is None
    assert LAST_WORDS in str(failed["error"])
    assert f"{stack.name}: 1 failed start made again" in _printed(tried)


def _given_up(stack: Faulty) -> pytest.MarkDecorator:
    return fault(
        f"{stack.reach} engine crashes at the same request again and again, with `--retries 1`",
        injected="SIGILL at the second request after each start",
        seen="the reason of the last attempt, and that a second was needed; exit code 5",
        kept="its warm-up, the failed attempt, and all of the other stacks",
    )


@pytest.mark.parametrize("stack", [pytest.param(s, id=s.name, marks=_given_up(s)) for s in ALWAYS])
def test_one_that_always_fails_is_given_up(tried: Ran, stack: Faulty) -> None:
    assert "SIGILL" in tried.reason(stack)
    warm_up, last = tried.samples(stack.name)
    assert warm_up["error"] == ""
    assert (last["attempt"], last["error"]) == (2, tried.reason(stack))
    assert [each["attempt"] for each in _attempts(tried, stack)] == [1]


@fault(
    "a retry in what is exported",
    injected="engines that crash once, with `--retries 1`",
    seen="a column `attempt`, and a file of its own for failed attempts",
    kept="stack, block, iteration, attempt, reason and times of each",
)
def test_attempts_are_exported(tried: Ran, tmp_path: Path) -> None:
    files = report_of(tried.frames).export("csv", tmp_path / "samples.csv")
    assert tmp_path / "samples-attempts.csv" in files
    rows = pd.read_csv(tmp_path / "samples-attempts.csv")
    assert set(rows["stack"]) == {each.name for each in (*CRASH, *HANG, *START, *ALWAYS)}
    samples = pd.read_csv(tmp_path / "samples.csv")
    assert (samples["attempt"] > 1).sum() == len(CRASH) + len(HANG) + len(ALWAYS)

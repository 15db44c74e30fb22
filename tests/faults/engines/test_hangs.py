"""Engines that hang or never get ready: they are waited for no longer than is allowed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from python_runner.engines.contract import Reach
from tests.contract.processes import no_process_left
from tests.faults.engines.doing import LAST_WORDS
from tests.faults.engines.pipeline import WARMUP, Bench, Faulty, Ran, both
from tests.faults.fault import fault

TIMEOUT, STALL, START = "6s", "2s", "5s"
"""A machine that is busy stops for a second by itself, and starts Python in two."""
WHENS: Mapping[str, str] = {
    "first": "before the first token",
    "middle": "between two tokens",
    "after": "after the last token, its answer never ends",
}
HANGS = [each for when in WHENS for each in both(f"{when} hang", also="ignores-sigterm")]
NEVER = [
    *both("loading hang", also="ignores-sigterm"),
    Faulty(reach=Reach.SERVED, fault="ready never", at=1),
]


def _run(
    tmp_path_factory: pytest.TempPathFactory, stacks: list[Faulty], **limits: str
) -> Iterator[Ran]:
    bench = Bench(folder=tmp_path_factory.mktemp("hangs"), stacks=tuple(stacks))
    with pytest.MonkeyPatch.context() as patch, no_process_left():
        bench.set_up(patch)
        yield bench.compare(**limits)


@pytest.fixture(scope="module")
def hung(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    yield from _run(tmp_path_factory, HANGS, timeout=TIMEOUT, stall_timeout=STALL)


@pytest.fixture(scope="module")
def unready(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    yield from _run(tmp_path_factory, NEVER, start_timeout=START)


def _says(stack: Faulty) -> str:
    """What it says of the time; an embedded engine is known by computing no more."""
    if stack.reach is Reach.EMBEDDED:
        return "did not compute for 2 s"
    if stack.fault.startswith("first"):
        return "no end of the answer after 6 s"
    return "nothing came for 2 s within the answer"


def _row(stack: Faulty) -> pytest.MarkDecorator:
    return fault(
        f"{stack.reach} engine hangs {WHENS[stack.fault.split()[0]]}",
        injected="it sleeps, and ignores SIGTERM",
        seen=f"`{_says(stack)}`, as the study's timeouts say; it is ended; exit code 5",
        kept="what it had answered before, and all of the other stacks",
    )


@pytest.mark.parametrize("stack", [pytest.param(s, id=s.name, marks=_row(s)) for s in HANGS])
def test_a_hang_ends_when_its_time_is_up(hung: Ran, stack: Faulty) -> None:
    reason = hung.reason(stack)
    assert _says(stack) in reason
    assert "timeout" in reason
    *answered, last = hung.samples(stack.name)
    assert [row["error"] for row in answered] == [""] * (WARMUP + 1)
    assert last["error"] == reason
    hung.assert_well()


def _never(stack: Faulty) -> pytest.MarkDecorator:
    listens = stack.fault.startswith("ready")
    how = "its /health answers 503" if listens else "it sleeps before it loads, ignoring SIGTERM"
    return fault(
        f"{stack.reach} engine {'listens, and ' if listens else ''}is never ready",
        injected=how,
        seen="`not ready after 5 s` (`start_timeout`), the end of its log; it is ended; "
        "exit code 5",
        kept="all of the other stacks",
    )


@pytest.mark.parametrize("stack", [pytest.param(s, id=s.name, marks=_never(s)) for s in NEVER])
def test_one_that_is_never_ready_is_given_up(unready: Ran, stack: Faulty) -> None:
    reason = unready.reason(stack)
    assert "not ready after 5 s" in reason
    assert "start_timeout" in reason
    if stack.fault.startswith("loading"):
        assert LAST_WORDS in reason
    assert unready.samples(stack.name) == []
    unready.assert_well()

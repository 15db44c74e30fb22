"""Engines that die: a row with the reason, and nobody else loses a sample.

All faulty stacks are in one comparison, with one that is well among them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from tests.contract.processes import no_process_left
from tests.faults.engines.doing import LAST_WORDS
from tests.faults.engines.pipeline import WARMUP, Bench, Faulty, Ran, both
from tests.faults.fault import fault

SIGNALS = ("SIGKILL", "SIGSEGV", "SIGILL")
WHENS: Mapping[str, str] = {
    "loading": "loading its model",
    "first": "before the first token",
    "middle": "in mid-stream",
}
HOWS: Mapping[str, str] = {
    "SIGKILL": "it kills itself with SIGKILL",
    "SIGSEGV": "it kills itself with SIGSEGV",
    "SIGILL": "it kills itself with SIGILL",
    "memory": "RLIMIT_AS in the process, then an allocation beyond it",
}
EXITS: Mapping[str, tuple[str, str]] = {
    "exit0": ("exits with 0 at once", "exit code 0"),
    "exit1": ("exits with 1 and says why", "exit code 1"),
    "silent-exit": ("exits with 3 without a word", "exit code 3"),
}
DEATHS = [each for when in WHENS for how in (*SIGNALS, "memory") for each in both(f"{when} {how}")]
ENDS = [each for how in EXITS for each in both(f"loading {how}")]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    bench = Bench(folder=tmp_path_factory.mktemp("deaths"), stacks=(*DEATHS, *ENDS))
    with pytest.MonkeyPatch.context() as patch, no_process_left():
        bench.set_up(patch)
        yield bench.compare()


def _row(stack: Faulty) -> pytest.MarkDecorator:
    when, how = stack.fault.split()
    kept = "all of the other stacks"
    if when != "loading":
        kept = f"what it had answered before, and {kept}"
    seen = "`out of memory` and how the process ended" if how == "memory" else f"`signal {how}`"
    return fault(
        f"{stack.reach} engine dies {WHENS[when]}",
        injected=HOWS[how],
        seen=f"{seen}, the end of its log and where the whole log is; exit code 5",
        kept=kept,
    )


@pytest.mark.parametrize("stack", [pytest.param(s, id=s.name, marks=_row(s)) for s in DEATHS])
def test_a_death_is_a_row_with_its_reason(ran: Ran, stack: Faulty) -> None:
    when, how = stack.fault.split()
    reason = ran.reason(stack)

    assert ("out of memory" if how == "memory" else f"signal {how}") in reason
    assert LAST_WORDS in reason
    assert ".log" in reason
    if when == "loading":
        assert ran.samples(stack.name) == []
    else:
        *answered, last = ran.samples(stack.name)
        assert [row["error"] for row in answered] == [""] * (WARMUP + 1)
        assert last["error"] == reason
    ran.assert_well()


def _end(stack: Faulty) -> pytest.MarkDecorator:
    words, code = EXITS[stack.fault.split()[1]]
    return fault(
        f"{stack.reach} engine {words}",
        injected="the program ends so while it loads",
        seen=f"`ended by itself ({code})`, and what it printed or that it printed nothing; "
        "exit code 5",
        kept="all of the other stacks",
    )


@pytest.mark.parametrize("stack", [pytest.param(s, id=s.name, marks=_end(s)) for s in ENDS])
def test_one_that_ends_while_loading_says_how(ran: Ran, stack: Faulty) -> None:
    reason = ran.reason(stack)
    how = stack.fault.split()[1]
    assert f"ended by itself ({EXITS[how][1]})" in reason
    if how == "exit1":
        assert "no such tensor: blk.7" in reason
    assert ran.outcome.broken.keys() == {each.name for each in (*DEATHS, *ENDS)}
    assert ran.samples(stack.name) == []
    ran.assert_well()

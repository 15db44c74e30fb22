"""Each case of the table, in every dialect, through both readers, which must agree."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest

from python_runner.common.progress import SilentProgress
from python_runner.engines.contract import Dialect
from python_runner.engines.served.streaming import prepare_stream_client
from tests.faults.wire.bad import BAD
from tests.faults.wire.case import Case
from tests.faults.wire.good import GOOD
from tests.faults.wire.raw_server import Answer, RawServer, serving
from tests.faults.wire.readers import ALONE, Outcome, Readers
from tests.faults.wire.spoken import TEXTS, Spoken


@pytest.fixture(scope="module")
def readers() -> Readers:
    return Readers(prepare_stream_client(SilentProgress()))


@pytest.fixture(scope="module")
def together() -> Iterator[ThreadPoolExecutor]:
    """All dialects and readers of a case at once: each mostly waits."""
    with ThreadPoolExecutor(10) as threads:
        yield threads


def ask(
    case: Case, dialect: Dialect, readers: Readers, *, alone: bool
) -> tuple[Outcome, RawServer]:
    def answer(_: int) -> Answer:
        pieces = case.pieces(Spoken(dialect))
        return Answer(pieces=pieces, then=case.then, pause_s=case.pause_s)

    read = readers.alone if alone else readers.in_load
    with serving(answer) as server:
        return read(dialect, server.url, timeout_s=case.timeout_s), server


def outcomes(
    case: Case, readers: Readers, together: ThreadPoolExecutor
) -> list[tuple[str, Outcome, RawServer]]:
    """What every dialect comes to in each reader that it has."""
    wanted = [
        (dialect, alone)
        for dialect in case.dialects
        for alone in (True, False)
        if not alone or dialect in ALONE
    ]
    running = [
        together.submit(ask, case, dialect, readers, alone=alone) for dialect, alone in wanted
    ]
    names = [f"{dialect.value}, {'alone' if alone else 'in a load'}" for dialect, alone in wanted]
    return [(name, *each.result()) for name, each in zip(names, running, strict=True)]


@pytest.mark.parametrize("case", [case.param for case in GOOD])
def test_an_odd_answer_that_is_whole_is_read(
    case: Case, readers: Readers, together: ThreadPoolExecutor
) -> None:
    for name, found, server in outcomes(case, readers, together):
        assert found.is_good, f"{name}: {found.why}"
        assert (found.tokens, found.text) == (len(TEXTS), case.text), name
        assert (found.chunks, found.sizes) == (len(TEXTS), (1,) * len(TEXTS)), name
        assert all(before <= after for before, after in pairwise(found.chunk_ns)), name
        assert server.requests == 1, name


@pytest.mark.parametrize("case", [case.param for case in BAD])
def test_what_is_no_answer_is_a_failure_that_says_why(
    case: Case, readers: Readers, together: ThreadPoolExecutor
) -> None:
    for name, found, server in outcomes(case, readers, together):
        assert not found.is_good, f"{name}: {found}"
        assert re.search(case.why, found.why, re.DOTALL), f"{name}: {found.why}"
        assert len(found.why) < 700, name
        assert found.hint, f"{name}: {found.why}"
        assert server.requests == 1, f"{name}: it was asked again"

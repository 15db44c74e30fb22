"""Answers of chance: no reader fails in a way of its own, and both make the same of each."""

from __future__ import annotations

import os
import time
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from python_runner.common.progress import SilentProgress
from python_runner.engines.contract import Dialect, Endpoint, Generation
from python_runner.engines.outside import answer as outside
from python_runner.engines.served.error_body import reason_in
from python_runner.engines.served.streaming import (
    NotAnsweredError,
    prepare_stream_client,
    stream_of,
)
from python_runner.measure.load.finished import finished_of
from tests.faults.fault import fault
from tests.faults.wire.readers import ALONE, Outcome, Readers, asked, framing_of, outcome_of
from tests.faults.wire.spoilt import spoilt_answer

_SOON = 2_000
_LONG = 200_000
_SEEN = "an answer or an error; never a traceback, never two different figures"
_DIALECTS = tuple(ALONE)


@pytest.fixture(scope="module")
def native() -> Any:
    Readers(prepare_stream_client(SilentProgress())).load()
    import polystack_stream

    return polystack_stream


def alone(native: Any, dialect: Dialect, pieces: list[bytes]) -> Outcome:
    """What `StreamClient.post` and the reader of the dialect make of it."""

    def ask() -> Generation:
        try:
            record = native.read_stream(pieces, framing=framing_of(dialect).value)
        except native.StreamError as error:
            raise NotAnsweredError(str(error)) from error
        return ALONE[dialect](stream_of(record, "http://h/"), asked().new_tokens)

    return outcome_of(ask)


def in_load(native: Any, dialect: Dialect, pieces: list[bytes]) -> Outcome:
    """What a load makes of it."""
    endpoint = Endpoint(url="http://h/", dialect=dialect, model="m")

    def ask() -> Generation:
        record = native.read_load(pieces, dialect=dialect.value)
        finished_of(record)
        return outside.generation_of(record, endpoint, asked())

    return outcome_of(ask)


def differ(one: Outcome, other: Outcome) -> bool:
    """Whether the two contradict each other.

    One request alone wants more of an answer: a reason of its end that it knows, the prompt's
    count, timings. So it may refuse what a load takes, but not the other way round; and what both
    take must be the same. Of an answer that the model ended only that: whether the mark of its end
    is among the chunks is known of servers that are started here, and not of others. What chunks
    held is compared where both know it of every chunk; a server that says it of some only is read
    with more or less care.
    """
    if one.ended_itself or other.ended_itself:
        return one.is_good and not other.is_good
    if one.is_good and other.is_good:
        knows_all = all(one.sizes) and all(other.sizes)
        same = (one.tokens, one.text) == (other.tokens, other.text)
        return not same or (knows_all and one.compared != other.compared)
    return one.is_good


def check(native: Any, chance: Random) -> None:
    dialect = chance.choice(_DIALECTS)
    pieces = spoilt_answer(chance, dialect)
    one, other = alone(native, dialect, pieces), in_load(native, dialect, pieces)
    assert not differ(one, other), f"{dialect} {pieces!r}\nalone: {one}\nin a load: {other}"


@fault(
    "answers of chance",
    injected="good answers with documents, values and bytes changed, cut anywhere",
    seen=_SEEN,
    kept="what is whole",
)
@settings(max_examples=_SOON, database=None)
@given(chance=st.randoms(use_true_random=False))
def test_both_readers_agree(native: Any, chance: Random) -> None:
    check(native, chance)


@pytest.mark.soak
@fault(
    "many answers of chance",
    injected=f"{_LONG:,} of them, or as many as `just fuzz` is told",
    seen=_SEEN,
    kept="what is whole",
)
def test_both_readers_agree_for_long(native: Any) -> None:
    inputs = int(os.environ.get("POLYSTACK_FUZZ_ANSWERS", _LONG))
    seed = int(os.environ.get("POLYSTACK_FUZZ_SEED", "1"))
    began = time.monotonic()
    for number in range(inputs):
        try:
            check(native, Random(f"{seed}-{number}"))  # noqa: S311 - to be repeated, not to be secret
        except Exception as error:
            raise AssertionError(f"answer {number} of seed {seed}") from error
    print(f"\n{inputs:,} answers of seed {seed} in {time.monotonic() - began:.1f} s")  # noqa: T201


@fault(
    "refusals of chance",
    injected="JSON and bytes of chance as the body of an error",
    seen="the sentence in it, or the body as it is",
    kept="nothing was asked for",
)
@settings(max_examples=300, database=None)
@given(body=st.text() | st.recursive(st.text(), st.lists).map(repr))
def test_any_body_of_an_error_has_a_reason(body: str) -> None:
    assert isinstance(reason_in(body), str)
    nested = "[" * 5000 + body
    assert reason_in(nested) == nested.strip()

"""Which engine batches: measured first, declared second, and a contradiction is told."""

import math
from dataclasses import replace

import pytest

from python_runner.analyse.batching import (
    BatchingSeen,
    Seen,
    batching_of,
    levels_to_compare,
    verdict,
)
from python_runner.analyse.claims import RunFrames
from python_runner.analyse.claims.evidence import Compared
from python_runner.engines.served.at_once import SEVERAL_AT_ONCE, Batching
from tests.golden.loads import LLAMA, OLLAMA, FakeServer, build_load
from tests.unit.load_builders import closed

LONG = 200


def compared(ratio: float, width: float = 0.05, *, clear: bool = True) -> Compared:
    return Compared(
        titles=("x at 10 users", "x at 1 user"),
        effect=math.log(ratio),
        half_width=width,
        floor=0.05,
        floor_source="assumed",
        is_clear=clear,
        reason="clear" if clear else "chance",
        n=(50, 50),
        blocks=10,
        design_effect=1.0,
    )


def judged(ratio: float, declared: str = "", **more: float | bool) -> BatchingSeen:
    row = {
        "stack": "x",
        "title": "X",
        "build": {SEVERAL_AT_ONCE: declared} if declared else {},
    }
    return verdict(row, (1, 10), compared(ratio, **more))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("ratio", "width", "clear", "seen"),
    [
        (3.0, 0.05, True, Seen.RISES),
        (1.3, 0.05, True, Seen.RISES),
        (1.0, 0.05, False, Seen.FLAT),
        (0.8, 0.05, True, Seen.FLAT),
        (1.08, 0.02, True, Seen.FLAT),  # pauses of one user, filled by others
        (1.15, 0.15, True, Seen.UNSURE),
        (3.0, 1.5, False, Seen.UNSURE),
    ],
)
def test_the_rule(ratio: float, width: float, clear: bool, seen: Seen) -> None:
    assert judged(ratio, width=width, clear=clear).seen is seen


def test_what_contradicts_is_told() -> None:
    assert judged(3.0, Batching.SLOTS.value).contradiction == ""
    assert judged(3.0).contradiction == ""
    assert "take turns" in judged(3.0, Batching.ONE_BY_ONE.value).in_words()
    assert "one request is enough" in judged(1.0, Batching.CONTINUOUS.value).in_words()
    assert judged(1.0, Batching.ONE_BY_ONE.value).contradiction == ""


def test_too_wide_an_interval_says_so() -> None:
    words = judged(1.15, width=0.15).in_words()
    assert "not known" in words
    assert "too wide" in words


@pytest.mark.parametrize(
    ("users", "found"),
    [
        ((1, 10, 50), (1, 10)),
        ((1, 4, 16, 50), (1, 16)),
        ((1, 4), (1, 4)),
        ((10, 50), None),
        ((1,), None),
        ((), None),
    ],
)
def test_which_levels(users: tuple[int, ...], found: tuple[int, int] | None) -> None:
    assert levels_to_compare(users) == found


def of(*servers: FakeServer, requests: int = LONG) -> tuple[BatchingSeen, ...]:
    levels = [closed(users, requests=requests, duration_s=None) for users in (1, 10)]
    frames = build_load(servers, levels)
    return batching_of(
        RunFrames(
            samples=frames.samples,
            conditions=frames.conditions,
            run={str(key): value for key, value in frames.runs.iloc[0].items()},
            requests=frames.load_requests,
            levels=frames.load_levels,
        )
    )


def test_slots_are_seen_and_one_slot_is_too() -> None:
    four, one = of(LLAMA, replace(OLLAMA, slots=1))
    assert (four.title, four.seen) == ("llama-server", Seen.RISES)
    assert 3 < four.ratio < 5
    assert (one.title, one.seen) == ("Ollama", Seen.FLAT)
    assert one.low < 1.1


def test_too_short_a_load_says_nothing() -> None:
    (found,) = of(LLAMA, requests=12)
    assert found.seen is Seen.UNSURE
    assert "too short" in found.in_words() or "no steady state" in found.in_words()


def test_a_stack_that_never_ran_has_no_row() -> None:
    (found,) = of(LLAMA, replace(OLLAMA, error="no port was free"))
    assert found.title == "llama-server"

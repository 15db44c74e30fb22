"""What a client's stamps are worth: the arithmetic, on stamps made by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from python_runner.run.client_bench import figures_of
from python_runner.run.client_bench.figures import ClientFigures, middle_of
from python_runner.run.client_bench.reach import missed

MS = 1_000_000


def request(number: int, *, sent: float, ns: list[float], reads: list[int]) -> dict[str, object]:
    """What a client saw, in ms."""
    return {
        "id": str(number),
        "sent_ns": int(sent * MS),
        "ns": [int(stamp * MS) for stamp in ns],
        "reads": reads,
    }


def served(number: int, *, seen: float, written: list[float]) -> dict[str, object]:
    """What the server did, in ms."""
    return {
        "request_id": str(number),
        "seen_ns": int(seen * MS),
        "written_ns": [int(stamp * MS) for stamp in written],
    }


def figures(*requests: dict[str, object], truth: list[dict[str, object]]) -> ClientFigures:
    seen = {"cpu_ns": 12 * MS, "started_ns": 0, "requests": list(requests)}
    return figures_of(seen, {"requests": truth}, ideal_ns=70 * MS)


def test_errors_are_the_clients_times_less_the_servers() -> None:
    found = figures(
        request(0, sent=0.0, ns=[51.5, 61.0, 72.0], reads=[1, 2, 3]),
        truth=[served(0, seen=0.2, written=[50.2, 60.2, 70.2])],
    )
    # 51.5 ms by the client, 50.0 ms by the server.
    assert found.ttft_p50_ms == pytest.approx(1.5)
    # Gaps of 9.5 and 11.0 ms where there were 10.0: off by 0.5 and 1.0.
    assert found.itl_p99_ms == pytest.approx(0.995)
    assert found.unknown_gaps == 0
    assert found.cpu_s_per_1000_events == pytest.approx(0.012 / 3 * 1000)
    assert found.rate_share == pytest.approx(70 / 72)


def test_a_gap_within_one_read_is_unknown_and_not_zero() -> None:
    found = figures(
        request(0, sent=0.0, ns=[50.0, 70.0, 70.0], reads=[1, 2, 2]),
        truth=[served(0, seen=0.0, written=[50.0, 60.0, 70.0])],
    )
    assert found.unknown_gaps == 0.5
    assert found.itl_p99_ms == pytest.approx(10.0)


def test_requests_are_matched_by_their_number() -> None:
    found = figures(
        request(0, sent=0.0, ns=[50.0, 60.0], reads=[1, 2]),
        request(1, sent=5.0, ns=[65.0, 75.0], reads=[1, 2]),
        truth=[
            served(1, seen=5.0, written=[65.0, 75.0]),
            served(0, seen=0.0, written=[50.0, 60.0]),
        ],
    )
    assert found.ttft_p99_ms == pytest.approx(0.0)


def test_a_client_that_misses_an_event_has_no_figures() -> None:
    with pytest.raises(ValueError, match="1 events seen of 2"):
        figures(
            request(0, sent=0.0, ns=[50.0], reads=[1]),
            truth=[served(0, seen=0.0, written=[50.0, 60.0])],
        )


FLOOR = ClientFigures(
    ttft_p50_ms=0.1,
    ttft_p99_ms=3.0,
    itl_p99_ms=1.0,
    unknown_gaps=0.0,
    cpu_s_per_1000_events=0.01,
    rate_share=1.0,
)


def test_the_floor_reaches_what_is_asked_for() -> None:
    for streams in (1, 32, 1000):
        assert missed(streams, FLOOR, FLOOR) == ()


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"ttft_p50_ms": 0.41}, "TTFT p50"),
        ({"ttft_p99_ms": 10.1}, "TTFT p99"),
        ({"itl_p99_ms": 3.1}, "ITL p99"),
        ({"cpu_s_per_1000_events": 0.0171}, "CPU per event"),
        ({"rate_share": 0.979}, "rate"),
    ],
)
def test_each_bound_can_be_missed(change: dict[str, float], name: str) -> None:
    assert missed(1000, replace(FLOOR, **change), FLOOR) == (name,)


def test_few_streams_are_held_to_the_floors_own_tail() -> None:
    slow = replace(FLOOR, ttft_p99_ms=4.1)
    assert missed(32, slow, FLOOR) == ("TTFT p99",)
    assert missed(128, slow, FLOOR) == ()


def test_rounds_are_summed_up_by_their_median() -> None:
    rounds = [replace(FLOOR, ttft_p50_ms=value) for value in (0.1, 9.0, 0.2)]
    assert middle_of(rounds).ttft_p50_ms == 0.2

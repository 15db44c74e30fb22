"""The window is the part in which the load was what it was meant to be."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from python_runner.analyse.load.window import backlog, steady_window
from python_runner.measure.load.level import Level
from tests.unit.load_builders import (
    NS_PER_MS,
    FakeRequest,
    closed,
    figures_of,
    load_frames,
    opened,
    steady,
)


def window_of(level: Level, requests: list[FakeRequest]) -> tuple[float, float, str, list[int]]:
    """Start and end in ms, what is lacking, and which requests are inside."""
    rows = figures_of(*requests, level=level)
    row = load_frames((level, requests)).load_levels.iloc[0].to_dict()
    found = steady_window(rows, row)
    inside = rows.loc[found.holds(rows), "number"].tolist()
    return found.start_ns / NS_PER_MS, found.end_ns / NS_PER_MS, found.lack, inside


def test_closed_from_the_last_first_answer_to_the_first_users_end() -> None:
    requests = [
        FakeRequest(user=0, sent=0, chunks=[100], ended=100),
        FakeRequest(user=1, sent=50, chunks=[180], ended=180),
        FakeRequest(user=0, sent=100, chunks=[200], ended=200),
        FakeRequest(user=1, sent=180, chunks=[300], ended=300),
        FakeRequest(user=0, sent=200, chunks=[310], ended=310),
        FakeRequest(user=1, sent=300, chunks=[400], ended=400),
    ]
    assert window_of(closed(2), requests) == (180, 310, "", [3, 4, 5])


def test_closed_waits_for_the_warm_up() -> None:
    start, _, lack, inside = window_of(closed(2, warmup=4), steady(2, 5))
    assert (start, lack) == (180, "")
    assert inside == [4, 5, 6, 7, 8, 9]


def test_users_that_have_one_request_each_have_no_steady_state() -> None:
    start, end, lack, inside = window_of(closed(2), steady(2, 1))
    assert "the first user was done before" in lack
    assert (start, end, inside) == (0, 90, [0, 1])


def test_users_that_never_came() -> None:
    assert (
        window_of(closed(3), steady(2, 5))[2]
        == "only 2 of 3 users have sent a request that is over"
    )


def test_open_from_the_first_answer_to_the_last_arrival() -> None:
    requests = [
        FakeRequest(sent=due, chunks=[due + 150], ended=due + 150) for due in range(0, 1000, 100)
    ]
    assert window_of(opened(), requests) == (150, 900, "", [2, 3, 4, 5, 6, 7, 8, 9])


def test_open_after_warm_up_and_ramp() -> None:
    requests = [FakeRequest(sent=due, chunks=[due + 50]) for due in range(0, 1000, 100)]
    assert window_of(opened(warmup=3), requests)[0] == 300
    assert window_of(opened(warmup=3, ramp_s=0.45), requests)[0] == 450


def test_open_without_a_steady_state() -> None:
    requests = [FakeRequest(sent=due, chunks=[5000]) for due in range(0, 1000, 100)]
    assert "before the first answer" in window_of(opened(), requests)[2]


def test_a_request_that_is_refused_at_once_opens_no_window() -> None:
    refused = FakeRequest(sent=0, chunks=(), error_kind="status", ended=0.001)
    slow = [FakeRequest(sent=due, chunks=[due + 5000]) for due in range(100, 10_000, 100)]
    assert window_of(opened(), [refused, *slow])[:3] == (5100, 9900, "")
    requests = [
        FakeRequest(user=0, sent=0, chunks=(), error_kind="status", ended=1),
        FakeRequest(user=0, sent=1, chunks=[500]),
        FakeRequest(user=0, sent=500, chunks=[900]),
        FakeRequest(user=0, sent=900, chunks=[1300]),
    ]
    assert window_of(closed(1), requests)[:3] == (500, 1300, "")


def test_a_user_that_is_never_answered_does_not_hold_the_others_up() -> None:
    refused = [
        FakeRequest(user=1, sent=20.0 * turn, chunks=(), error_kind="status", ended=20.0 * turn + 1)
        for turn in range(20)
    ]
    served = [FakeRequest(sent=one.sent, chunks=one.chunks) for one in steady(1, 5)]
    both = sorted([*refused, *served], key=lambda one: one.sent)
    assert window_of(closed(2), both)[:3] == (90, 381, "")
    alone = [FakeRequest(sent=one.sent, chunks=(), error_kind="status") for one in refused]
    assert window_of(closed(1), alone)[2] == "no request was answered"
    assert window_of(opened(), alone)[2] == "no request was answered"


def test_nothing_has_ended() -> None:
    assert window_of(closed(), [])[2] == "no request has ended"


@settings(max_examples=40)
@given(
    st.integers(1, 6),
    st.integers(1, 5),
    st.lists(st.integers(1, 1000), min_size=30, max_size=30),
    st.integers(0, 5),
)
def test_whatever_happens_no_warm_up_and_no_time_outside_is_in_it(
    users: int, each: int, lasts: list[int], warmup: int
) -> None:
    clock = [0.0] * users
    requests = []
    for number in range(users * each):
        user = number % users
        end = clock[user] + lasts[number]
        requests.append(FakeRequest(user=user, sent=clock[user], chunks=[end], ended=end))
        clock[user] = end
    level = closed(users, warmup=warmup)
    start, end, lack, inside = window_of(level, requests)
    assert start <= end
    assert all(number >= warmup for number in inside)
    if not lack:
        for number in inside:
            assert start <= requests[number].sent <= end
        for user in range(users):
            mine = [one for one in requests if one.user == user]
            assert mine[0].ended is not None
            assert mine[0].ended <= start
            assert end <= mine[-1].chunks[-1]


@pytest.mark.parametrize(("serving", "grows"), [(90.0, False), (200.0, True)])
def test_a_server_that_falls_behind_is_noticed(serving: float, grows: bool) -> None:
    """One request each 100 ms, one after the other, each `serving` ms long."""
    free, requests = 0.0, []
    for due in range(0, 10_000, 100):
        free = max(free, due) + serving
        requests.append(FakeRequest(sent=due, chunks=[free], ended=free))
    level = opened()
    rows = figures_of(*requests, level=level)
    found = steady_window(rows, load_frames((level, requests)).load_levels.iloc[0].to_dict())
    assert backlog(rows, found).grows is grows

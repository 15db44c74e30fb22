"""Time left over visits to stacks that differ."""

import pytest

from python_runner.run.pace import Course, Pace


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Seen:
    """A task that keeps the latest fraction."""

    fraction = 0.0
    note = ""

    def update(self, fraction: float | None = None, note: str = "") -> None:
        self.fraction = self.fraction if fraction is None else fraction
        self.note = note


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_while_no_visit_has_ended_they_are_counted(clock: Clock) -> None:
    course = Course(["quick", "slow"], Pace(clock), Seen())
    with course.visit():
        clock.now = 5.0
        assert course.fraction(0.5) == 0.25


def test_a_slow_stack_counts_for_what_it_took(clock: Clock) -> None:
    seen = Seen()
    course = Course(["quick", "slow", "slow", "quick"], Pace(clock), seen)
    for seconds in (10.0, 30.0):
        with course.visit():
            clock.now += seconds
    with course.visit():
        course.update(0.0, "block 2")
        assert (seen.fraction, seen.note) == (0.5, "block 2")
        clock.now += 30.0
        course.update(1.0, "")
        assert seen.fraction == pytest.approx(70 / 80)


def test_an_unknown_stack_counts_as_the_others(clock: Clock) -> None:
    course = Course(["known", "new"], Pace(clock), Seen())
    with course.visit():
        clock.now += 10.0
    with course.visit():
        assert course.fraction(0.0) == 0.5


def test_what_is_remembered_holds_for_the_next_row(clock: Clock) -> None:
    pace = Pace(clock)
    with Course(["one"], pace, Seen()).visit():
        clock.now += 10.0
    course = Course(["one", "one"], pace, Seen())
    with course.visit():
        clock.now += 5.0
        assert course.fraction(0.5) == 0.25


def test_an_overdue_visit_goes_by_its_requests(clock: Clock) -> None:
    pace = Pace(clock)
    pace.note("one", 10.0)
    course = Course(["one"], pace, Seen())
    with course.visit():
        clock.now += 20.0
        assert course.fraction(0.5) == 0.5

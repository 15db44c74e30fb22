"""What a watch makes of clocks and processes that it is given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from python_runner.common.clock import NS_PER_S, ClockReading
from python_runner.measure.time_watch import Sign, TimeMarks, TimeWatch, spell_marks


@dataclass
class Told:
    """Clocks and processes as a test wants them."""

    now_s: float = 10.0
    slept_s: float = 0.0
    set_s: float = 0.0
    is_stopped: bool = False
    is_known: bool = True

    def read(self) -> ClockReading:
        monotonic_ns = round(self.now_s * NS_PER_S)
        boot_ns = round((self.now_s + self.slept_s) * NS_PER_S)
        return ClockReading(
            monotonic_ns=monotonic_ns,
            boot_ns=boot_ns if self.is_known else None,
            wall_ns=boot_ns + round(self.set_s * NS_PER_S),
        )

    def any_stopped(self, processes: Sequence[int]) -> bool:
        return self.is_stopped

    def watch(self, processes: Sequence[int] = ()) -> TimeWatch:
        """Without its thread: looks only when it is asked to."""
        return TimeWatch(processes, clocks=self, any_stopped=self.any_stopped)


def test_nothing_happened() -> None:
    told = Told()
    with told.watch().request() as looked:
        told.now_s += 1
    assert looked.marks == TimeMarks(suspended_ns=0, wall_jump_ns=0)
    assert spell_marks(looked.marks) == ""


def test_a_sleep_marks_the_request_that_holds_it_and_no_other() -> None:
    told = Told()
    watch = told.watch()
    marks = []
    for slept_s in (0, 3, 0):
        with watch.request() as looked:
            told.now_s += 1
            told.slept_s += slept_s
        marks.append(looked.marks)
        told.now_s += 1
    assert [one.suspended_ns for one in marks] == [0, 3 * NS_PER_S, 0]
    assert marks[1].suspended_by == (Sign.ASLEEP,)
    assert marks[1].wall_jump_ns == 0
    assert spell_marks(marks[1]) == "machine asleep for 3.0 s"


def test_a_sleep_between_requests_marks_none() -> None:
    told = Told()
    watch = told.watch()
    told.now_s, told.slept_s = 11, 60
    with watch.request() as looked:
        told.now_s += 1
    assert not looked.marks.is_suspended


def test_an_engine_that_is_stopped_and_goes_on() -> None:
    told = Told()
    watch = told.watch([2**22 + 1])
    with watch.request() as looked:
        for told.now_s, told.is_stopped in ((10.1, False), (10.2, True), (10.9, True), (11, False)):
            watch.look()
    assert looked.marks.suspended_by == (Sign.ENGINE,)
    assert looked.marks.suspended_ns == round(0.9 * NS_PER_S)


def test_one_that_is_still_stopped_marks_what_ended_meanwhile() -> None:
    told = Told()
    watch = told.watch([2**22 + 1])
    watch.look()
    told.now_s, told.is_stopped = 12, True
    watch.look()
    second = NS_PER_S
    assert watch.between(9 * second, 11 * second).suspended_by == (Sign.ENGINE,)
    assert watch.between(8 * second, 10 * second).suspended_by == ()


def test_a_failed_request_is_marked_too() -> None:
    told = Told()
    watch = told.watch()
    try:
        with watch.request() as looked:
            told.now_s, told.slept_s, told.set_s = 11, 5, -7
            raise ValueError
    except ValueError:
        pass
    assert looked.marks.suspended_by == (Sign.ASLEEP,)
    assert looked.marks.wall_jump_ns == -7 * NS_PER_S


def test_unknown_is_not_zero() -> None:
    with Told(is_known=False).watch().request() as looked:
        pass
    assert looked.marks == TimeMarks(suspended_ns=None, wall_jump_ns=None)

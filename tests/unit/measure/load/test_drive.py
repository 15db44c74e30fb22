"""Driving one level: what is recorded, what is shown, how it ends."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from typing import NamedTuple

import pytest

from python_runner.common.errors import GenerationError, StoreError
from python_runner.measure.load.drive import Driven, drive, note_of
from python_runner.measure.load.level import FinishedRequests, Level
from tests.unit.load_builders import FakeRequest, closed, finished, opened
from tests.unit.measure.load.fakes import FakeRun, FakeSnapshot, Kept, Notes

FAILED = FakeRequest(chunks=(), error_kind="connect", error="refused")


class Counts(NamedTuple):
    finished: int
    failed: int = 0


def driven(
    run: FakeRun, kept: Kept, level: Level | None = None, notes: Notes | None = None
) -> Driven:
    return drive(
        lambda: run,
        level or closed(requests=4, duration_s=None),
        secrets=(),
        recorder=kept,
        peak_memory=lambda: 77,
        task=notes or Notes(),
    )


def parts(*counts: int) -> list[FinishedRequests]:
    return [finished([FakeRequest()] * count) for count in counts]


def test_every_request_is_recorded_as_it_ends_and_the_level_last() -> None:
    kept = Kept()
    outcome = driven(FakeRun(parts(2, 0, 3, 1)), kept)
    assert kept.calls == ["record", "record", "record", "end_level"]
    assert sum(len(each.number) for each in kept.requests) == 6
    assert (outcome.finished, outcome.failed, outcome.error) == (6, 0, "")
    end = kept.ends[0]
    assert (end.started_ns, end.ended_ns, end.client_cpu_s, end.error) == (1_000, 9_000, 0.005, "")
    assert end.peak_memory_bytes == 77


@pytest.mark.parametrize(
    ("level", "fraction"),
    [
        (closed(requests=4, duration_s=None), 0.25),
        (closed(requests=None, duration_s=10.0), 0.2),
        (opened(requests=100, duration_s=4.0), 0.5),
        (opened(requests=1, duration_s=None), 1.0),
    ],
)
def test_how_far_it_is_goes_by_what_ends_it(level: Level, fraction: float) -> None:
    notes = Notes()
    driven(FakeRun(parts(1, 1, 1)), Kept(), level, notes)
    assert notes.fractions[0] == pytest.approx(fraction)


def test_the_note_fits_and_tells_median_and_p99() -> None:
    note = note_of(FakeSnapshot(), Counts(1234, 5))
    assert note == "1234 done (5 failed), 20/s, TTFT 51/120, ITL 10/20 ms"
    assert len(note_of(FakeSnapshot(), Counts(99_999))) <= 48


def test_long_waits_are_written_out() -> None:
    slow = FakeSnapshot(ttft_ns=(12_345_000_000, 0, 60_000_000_000))
    assert "TTFT 12345/60000" in note_of(slow, Counts(9))


def test_the_first_moment_has_no_figures() -> None:
    assert note_of(FakeSnapshot(elapsed_ns=0, ttft_ns=(0,) * 3, itl_ns=(0,) * 3), Counts(0))


def test_ctrl_c_keeps_what_is_done() -> None:
    kept, run = Kept(), FakeRun(parts(2, 3, 1, 1), interrupt=True)
    with pytest.raises(KeyboardInterrupt):
        driven(run, kept)
    assert run.cancelled
    assert kept.calls[-1] == "end_level"
    assert kept.ends[0].error == "interrupted"
    assert sum(len(each.number) for each in kept.requests) >= 2


def test_ctrl_c_while_requests_are_handed_over_loses_none_of_them() -> None:
    """Those that the client has given out are known to nobody else."""

    class Pressed(Kept):
        def record(self, requests: FinishedRequests) -> None:
            signal.raise_signal(signal.SIGINT)
            super().record(requests)

    kept = Pressed()
    with pytest.raises(KeyboardInterrupt):
        driven(FakeRun(parts(2, 3, 1)), kept)
    assert kept.calls == ["record", "record", "end_level"]
    assert sum(len(each.number) for each in kept.requests) == 5
    assert kept.ends[0].error == "interrupted"


def test_what_is_said_to_be_done_is_in_the_store() -> None:
    """The client knows of more that has ended than was handed over."""
    kept = Kept()
    said: list[tuple[str, int]] = []

    class Looks(Notes):
        def update(self, fraction: float | None = None, note: str = "") -> None:
            said.append((note, sum(len(each.number) for each in kept.requests)))

    driven(FakeRun(parts(2, 3, 1)), kept, notes=Looks())
    assert [(note.split()[0], stored) for note, stored in said] == [("2", 2), ("5", 5)]


def test_a_store_that_cannot_be_written_is_the_levels_reason() -> None:
    class Full(Kept):
        def record(self, requests: FinishedRequests) -> None:
            if not self.ends and not self.calls:
                self.calls.append("failed")
                raise StoreError("the disk is full")
            super().record(requests)

    kept, run = Full(), FakeRun(parts(2, 3))
    with pytest.raises(StoreError):
        driven(run, kept)
    assert run.cancelled
    assert kept.ends[0].error == "the disk is full"


def test_a_server_that_is_gone_is_not_asked_for_ever() -> None:
    kept = Kept()
    gone: Sequence[FakeRequest] = [FAILED] * 20
    run = FakeRun([finished([FakeRequest()]), finished(gone), *parts(1) * 50])
    outcome = driven(run, kept)
    assert run.cancelled
    assert "the server is gone: connect: refused" in outcome.error
    assert kept.ends[0].error == outcome.error


def test_refusals_are_results() -> None:
    busy = FakeRequest(chunks=(), error_kind="status", error="status 503", status=503)
    run = FakeRun([finished([busy] * 100), finished([busy])])
    outcome = driven(run, Kept())
    assert not run.cancelled
    assert (outcome.finished, outcome.failed, outcome.error) == (101, 101, "")
    assert "503" in outcome.last_error


def test_a_load_that_cannot_begin_ends_its_level() -> None:
    kept = Kept()

    def start() -> FakeRun:
        raise GenerationError("cannot connect")

    with pytest.raises(GenerationError):
        drive(
            start,
            closed(),
            secrets=(),
            recorder=kept,
            peak_memory=lambda: None,
            task=Notes(),
        )
    assert [end.error for end in kept.ends] == ["cannot connect"]

"""Time left: what was expected at first, then what the rate says."""

import pytest

from python_runner.cli.progress import Estimate
from python_runner.report.units import spell_duration


def test_nothing_is_known_at_the_beginning() -> None:
    assert Estimate(None, 0.0).left_s(5.0) is None


def test_the_expectation_counts_until_there_is_a_rate() -> None:
    estimate = Estimate(60.0, 0.0)
    assert estimate.left_s(20.0) == 40.0
    estimate.update(0.001, 21.0)
    estimate.update(0.002, 30.0)
    assert estimate.left_s(30.0) == 30.0
    assert estimate.left_s(90.0) is None  # overdue: nobody knows


def test_the_rate_counts_from_the_first_step() -> None:
    estimate = Estimate(None, 0.0)
    estimate.update(0.0, 0.0)
    estimate.update(0.1, 100.0)  # a long load, then one step of ten
    estimate.update(0.5, 140.0)
    assert estimate.left_s(140.0) == pytest.approx(50.0)


def test_one_step_gives_a_first_guess() -> None:
    estimate = Estimate(None, 0.0)
    estimate.update(0.25, 10.0)
    assert estimate.left_s(10.0) == pytest.approx(30.0)


def test_what_has_just_begun_promises_nothing() -> None:
    estimate = Estimate(None, 0.0)
    estimate.update(1e-9, 0.0)
    assert estimate.left_s(5.0) is None
    estimate.update(0.1, 10.0)
    assert estimate.left_s(10.0) == pytest.approx(90.0)


@pytest.mark.parametrize(
    ("seconds", "text"), [(8.2, "8 s"), (200.0, "3 min"), (4 * 3600 + 1260, "4 h 21 min")]
)
def test_durations_are_spelled(seconds: float, text: str) -> None:
    assert spell_duration(seconds) == text

import math

import pytest

from python_runner.report.units import (
    MISSING,
    spell_bytes,
    spell_change,
    spell_change_range,
    spell_error,
    spell_number,
    spell_range,
    spell_ratio,
    spell_share,
    spell_sure_time,
    spell_time,
    unit_for,
)


@pytest.mark.parametrize(
    ("value_ms", "text"),
    [
        (0.4213, "0.421 ms"),
        (1.0, "1.00 ms"),
        (9.996, "10.0 ms"),
        (812.4, "812 ms"),
        (999.4, "999 ms"),
        (999.6, "1.00 s"),
        (7_932.0, "7.93 s"),
        (27_010.0, "27.0 s"),
        (12_345_678.0, "12,346 s"),
        (0.0, "0 ms"),
        (math.nan, MISSING),
    ],
)
def test_times(value_ms: float, text: str) -> None:
    assert spell_time(value_ms) == text


def test_numbers_keep_three_digits() -> None:
    assert [spell_number(value) for value in (0.0012345, 0.12, 4.567, 45.67, 456.7, 4567.0)] == [
        "0.00123",
        "0.120",
        "4.57",
        "45.7",
        "457",
        "4,567",
    ]


def test_ranges_share_one_unit() -> None:
    assert spell_range(990.0, 1_010.0) == "0.990\N{EN DASH}1.01 s"
    assert spell_range(math.nan, 1.0) == MISSING


def test_bytes_and_ratios() -> None:
    assert spell_bytes(5_234_000_000) == "5.23 GB"
    assert spell_bytes(12_300_000) == "12.3 MB"
    assert spell_bytes(999_600_000) == "1.00 GB"
    assert spell_bytes(math.nan) == MISSING
    assert spell_ratio(3.8) == "3.80\N{MULTIPLICATION SIGN}"
    assert spell_ratio(math.nan) == MISSING


def test_an_axis_changes_to_seconds_at_one_second() -> None:
    assert [unit_for(value).name for value in (0.0, 999.0, 1000.0)] == ["ms", "ms", "s"]


@pytest.mark.parametrize(
    ("error_ms", "text"),
    [
        (0.0008, "0.8 \N{MICRO SIGN}s"),
        (0.041, "41 \N{MICRO SIGN}s"),
        (0.15, "0.15 ms"),
        (0.23, "0.2 ms"),
        (0.96, "1 ms"),
        (12.3, "12 ms"),
        (0.0, "0 \N{MICRO SIGN}s"),
        (math.nan, MISSING),
    ],
)
def test_errors_have_as_many_digits_as_anyone_knows(error_ms: float, text: str) -> None:
    assert spell_error(error_ms) == text


@pytest.mark.parametrize(
    ("value_ms", "error_ms", "text"),
    [
        (51.21, 0.21, "51.2 ms \N{PLUS-MINUS SIGN} 0.2"),
        (51.21, 0.001, "51.2 ms \N{PLUS-MINUS SIGN} 0.01"),
        (7_930.0, 0.21, "7.93 s \N{PLUS-MINUS SIGN} 0.2 ms"),
        (51.21, math.nan, "51.2 ms"),
        (math.nan, 0.2, MISSING),
    ],
)
def test_a_time_and_the_clocks_own_error(value_ms: float, error_ms: float, text: str) -> None:
    assert spell_sure_time(value_ms, error_ms) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.934, "93.4%"),
        (1.0, "100%"),
        (0.0, "0%"),
        (0.99996, ">99.9%"),
        (0.0001, "<0.1%"),
        (math.nan, MISSING),
    ],
)
def test_shares_are_not_rounded_to_all_or_nothing(value: float, text: str) -> None:
    assert spell_share(value) == text


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.003, "+0.3 %"),
        (-0.0112, "\N{MINUS SIGN}1.1 %"),
        (0.0996, "+10 %"),
        (-0.0004, "0.0 %"),
        (12.5, "+1,250 %"),
        (math.nan, "\N{EN DASH}"),
    ],
)
def test_changes(value: float, expected: str) -> None:
    assert spell_change(value) == expected


def test_the_interval_of_a_change() -> None:
    assert spell_change_range(-0.011, 0.016) == "\N{MINUS SIGN}1.1 … +1.6"
    assert spell_change_range(-1.0, math.inf) == "\N{MINUS SIGN}100 … +\N{INFINITY}"
    assert spell_change_range(math.nan, math.nan) == ""

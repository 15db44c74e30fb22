"""Texts of others cannot steer a terminal."""

import pytest

from python_runner.common.printable import printable


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("plain, \tüber\n雨 🙂", "plain, \tüber\n雨 🙂"),
        ("\x1b[2J\x1b]0;title\x07", "␛[2J␛]0;title␇"),
        ("safe\rhidden\x08\x7f", "safe␍hidden␈␡"),
        ("\x9b31mred", "\N{REPLACEMENT CHARACTER}31mred"),
        ("a\u202egnp.exe", "a\N{REPLACEMENT CHARACTER}gnp.exe"),
    ],
)
def test_what_steers_becomes_a_sign(given: str, shown: str) -> None:
    assert printable(given) == shown

"""Clocks that are read together, and that nothing else reads the wall clock."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import python_runner
from python_runner.common.clock import NS_PER_S, ClockReading, SystemClocks

PACKAGE = Path(python_runner.__file__).parent
_WALL = {
    "time": {"time", "time_ns", "localtime", "gmtime", "ctime", "strftime"},
    "datetime": {"now", "utcnow", "today"},
    "date": {"today"},
}
"""Calls that read the wall clock."""


def reading(monotonic: float, boot: float | None, wall: float) -> ClockReading:
    return ClockReading(
        monotonic_ns=round(monotonic * NS_PER_S),
        boot_ns=None if boot is None else round(boot * NS_PER_S),
        wall_ns=round(wall * NS_PER_S),
    )


@pytest.mark.parametrize(
    ("later", "slept_s", "jump_s"),
    [
        (reading(12, 102, 1002), 0, 0),
        (reading(12.0, 102.001, 1002.002), 0, 0),
        (reading(12, 162, 1062), 60, 0),
        (reading(12, 102, 940), 0, -62),
        (reading(12, 162, 1000), 60, -62),
        (reading(12, None, 940), None, None),
    ],
    ids=["as usual", "read one after the other", "slept", "set back", "both", "not known"],
)
def test_what_two_readings_say(
    later: ClockReading, slept_s: int | None, jump_s: int | None
) -> None:
    first = reading(10, 100, 1000)
    assert later.slept_ns(first) == (None if slept_s is None else slept_s * NS_PER_S)
    assert later.wall_jump_ns(first) == (None if jump_s is None else jump_s * NS_PER_S)


def test_the_systems_clocks_go_on() -> None:
    first, second = SystemClocks().read(), SystemClocks().read()
    assert second.monotonic_ns >= first.monotonic_ns


def test_nothing_but_the_clock_reads_the_wall_clock() -> None:
    """No figure, deadline or order can depend on what nobody reads."""
    for path in PACKAGE.rglob("*.py"):
        if path == PACKAGE / "common" / "clock.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            owner = node.func.value
            name = getattr(owner, "id", getattr(owner, "attr", ""))
            assert node.func.attr not in _WALL.get(name, ()), f"{path}:{node.lineno}"

"""When a report opens by itself."""

from __future__ import annotations

import pytest

from python_runner.cli.opening import may_open


def opens(platform: str = "linux", *, is_terminal: bool = True, **variables: str) -> bool:
    return may_open(variables, is_terminal=is_terminal, platform=platform)


@pytest.mark.parametrize("screen", ["DISPLAY", "WAYLAND_DISPLAY"])
def test_opens_on_a_desktop(screen: str) -> None:
    assert may_open({screen: ":0"}, is_terminal=True, platform="linux")


def test_opens_on_macos_without_a_variable() -> None:
    assert opens("darwin")


def test_stays_closed_where_nobody_sees_a_window() -> None:
    assert not opens()
    assert not opens(DISPLAY="")
    assert not opens(DISPLAY=":0", CI="true")
    assert not opens(DISPLAY=":0", SSH_CONNECTION="10.0.0.1 1 10.0.0.2 22")
    assert not opens("darwin", SSH_TTY="/dev/pts/0")
    assert not opens(DISPLAY=":0", is_terminal=False)


@pytest.mark.parametrize("word", ["0", "no", "OFF", "false"])
def test_a_variable_keeps_it_closed(word: str) -> None:
    assert not opens(DISPLAY=":0", POLYSTACK_OPEN=word)


def test_other_values_of_the_variable_change_nothing() -> None:
    assert opens(DISPLAY=":0", POLYSTACK_OPEN="1")
    assert not opens(POLYSTACK_OPEN="1")

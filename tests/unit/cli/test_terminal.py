"""Whatever is printed, only we steer the terminal."""

import io

import pytest
from rich.live import Live
from rich.table import Table
from rich.text import Text

from python_runner.cli import _explain, output
from python_runner.cli.terminal import PlainConsole

NASTY = "\x1b]0;owned\x07\x1b[31mred\x1b[2J"


def drawn(thing: object) -> str:
    to = io.StringIO()
    PlainConsole(file=to, width=60, force_terminal=True, color_system="truecolor").print(thing)
    return to.getvalue()


def test_our_own_colours_stay_and_others_do_not() -> None:
    table = Table("name")
    table.add_column(Text(NASTY, style="bold red"))
    table.add_row(Text(NASTY), "x")
    for thing in (NASTY, Text(NASTY, style="green"), table):
        shown = drawn(thing)
        assert "\x1b]0;" not in shown
        assert "\x1b[2J" not in shown
        assert "\x07" not in shown
        assert "owned" in shown
    assert "\x1b[" in drawn(Text("ours", style="red"))


def test_what_is_drawn_again_and_again_too() -> None:
    to = io.StringIO()
    console = PlainConsole(file=to, width=60, force_terminal=True)
    with Live(Text(NASTY), console=console, auto_refresh=False) as live:
        live.update(Text(NASTY), refresh=True)
    assert "\x1b]0;" not in to.getvalue()
    assert "\x1b[?25l" in to.getvalue(), "the cursor is still ours to hide"


def test_lines_and_errors(capsys: pytest.CaptureFixture[str]) -> None:
    output.say(f"stack: {NASTY}")
    _explain(f"the server said {NASTY}", NASTY)
    captured = capsys.readouterr()
    assert "\x1b" not in captured.out + captured.err
    assert "␛]0;owned" in captured.out
    assert "␛]0;owned" in captured.err

from collections.abc import Callable

import pytest
from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.style import Style

from python_runner.engines.contract import Language
from python_runner.report.palette import LANGUAGES
from python_runner.report.paths import CAPTIONS
from python_runner.report.terminal import run_detail, runs_table, summary_report, time_report
from tests.golden.cases import CASES
from tests.golden.compare import assert_golden, rendered
from tests.golden.frames import LLAMA_CPP, Frames, build_frames, rename

REPORTS: dict[str, Callable[..., RenderableType]] = {
    "summary": summary_report,
    "runs": lambda *frames: runs_table(Frames(*frames).stored()),
    "detail": run_detail,
    "time": time_report,
}


@pytest.mark.parametrize("width", [100, 80])
@pytest.mark.parametrize("report", REPORTS)
def test_golden(report: str, width: int) -> None:
    found = rendered(REPORTS[report](*CASES["troubled"]()), width)
    assert_golden(f"{report}-{width}.txt", found)


@pytest.mark.parametrize("width", [60, 100])
@pytest.mark.parametrize("report", REPORTS)
@pytest.mark.parametrize("case", CASES)
def test_every_run_fits_every_terminal(case: str, report: str, width: int) -> None:
    found = rendered(REPORTS[report](*CASES[case]()), width)
    assert max(cell_len(line) for line in found.splitlines()) <= width
    if report != "runs":
        for line in found.splitlines():
            assert "…" not in line or "failed" in line or "result" in line, line


def test_a_narrow_terminal_shows_fewer_columns() -> None:
    frames = build_frames()
    wide, narrow = (rendered(summary_report(*frames), width) for width in (100, 80))
    assert "  fastest" in wide
    assert "  fastest" not in narrow
    assert "TTFT" in narrow


def test_embedded_and_served_stand_apart_each_under_its_caption() -> None:
    said = rendered(summary_report(*CASES["four"]()), 100)
    embedded, served = (said.index(caption) for caption in CAPTIONS.values())
    assert embedded < said.index("transformers ") < said.index("llama.cpp ") < served
    assert served < said.index("Ollama ")
    assert said.count(" fastest  ") == 2, "one of each path"


def test_the_price_of_serving_is_told_where_an_engine_ran_in_both_ways() -> None:
    said = rendered(summary_report(*CASES["both ways"]()), 100)
    told = said[said.index("The price of serving") :]
    assert told.index("llama-server") < told.index("1.2") < told.index("transformers serve")
    assert "slower" in told
    assert "The price of serving" not in rendered(summary_report(*CASES["four"]()), 100)


def test_random_weights_are_said_in_the_first_line() -> None:
    assert "random weights" in rendered(summary_report(*build_frames()), 100).splitlines()[0]


def test_names_are_text_and_not_markup() -> None:
    frames = build_frames(
        [rename(LLAMA_CPP, title="[bold]x", version="[/red]", build={"a": "[b]"})]
    )
    found = rendered(run_detail(*frames), 100)
    assert "[bold]x" in found
    assert "[/red]" in found
    assert "[b]" in found


def test_languages_have_their_colours() -> None:
    # A style keeps the codes of the first terminal that it was drawn for, and styles are shared:
    # another test in this process may have drawn them for one of 16 colours.
    Style.parse.cache_clear()
    Style._add.cache_clear()
    console = Console(width=100, force_terminal=True, color_system="256")
    with console.capture() as capture:
        console.print(summary_report(*build_frames()))
    for language in ("C++", "Go", "Rust", "Python"):
        color = console.get_style(LANGUAGES[Language(language)].terminal).color
        assert color is not None
        assert f"\x1b[38;5;{color.number}m{language}" in capture.get()


def test_no_runs_yet() -> None:
    empty = Frames(*(frame.iloc[:0] for frame in build_frames())).stored()
    assert "polystack compare" in rendered(runs_table(empty), 100)

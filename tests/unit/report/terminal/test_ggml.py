"""The report on stacks that rest on ggml."""

from __future__ import annotations

import io

import pytest
from rich.console import Console, RenderableType

from python_runner.analyse.ggml import METRICS
from python_runner.analyse.latency import NAN
from python_runner.common.errors import UsageError
from python_runner.report.terminal.ggml import ggml_report
from python_runner.report.words.ggml import bound_in_words
from tests.golden.frames import FOUR, build_frames
from tests.unit.analyse.test_ggml import STUDY, in_blocks


@pytest.fixture(scope="module")
def report() -> RenderableType:
    return ggml_report(*in_blocks(build_frames(STUDY)))


def printed(report: RenderableType, width: int = 100) -> str:
    console = Console(width=width, file=io.StringIO())
    console.print(report)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def flat(text: str) -> str:
    return " ".join(text.split())


def test_embedded_and_served_are_told_apart(report: RenderableType) -> None:
    text = printed(report)
    embedded, served = text.index("In process: ratio"), text.index("Served: ratio")
    assert embedded < text.index("Go-Driver") < served < text.index("Ollama", served)


def test_a_bound_is_said_in_words(report: RenderableType) -> None:
    text = flat(printed(report))
    assert "the language and all above ggml: Go, not C++: worth at most" in text
    assert "Go-Driver beside Llama.Cpp@Source=Ollama" in text
    assert "differing in nothing that this workbench records" in text


def test_what_is_equal_and_what_is_not(report: RenderableType) -> None:
    text = printed(report)
    equal, unequal = text.split("Not equal")
    assert "c++ 12" in equal
    assert "llama.cpp b with 3 patches: " in flat(unequal)


@pytest.mark.parametrize("width", [60, 80, 140])
def test_it_fits_the_terminal(report: RenderableType, width: int) -> None:
    text = printed(report, width)
    assert max(len(line.rstrip()) for line in text.splitlines()) <= width


def test_a_run_without_them_is_refused() -> None:
    with pytest.raises(UsageError, match="two are needed") as raised:
        ggml_report(*build_frames(FOUR))
    assert "compare ggml" in raised.value.hint


def test_few_samples_are_not_known() -> None:
    text = flat(printed(ggml_report(*in_blocks(build_frames(STUDY, iterations=2)))))
    assert "not known, too few complete requests" in text


def test_a_large_bound_is_a_factor() -> None:
    bounds = zip(METRICS, (0.042, 1.5, NAN), strict=True)
    row = {f"at_most_{metric}": value for metric, value in bounds}
    names = {"title_left": "A", "title_right": "B", "differs": ("flags",)}
    assert bound_in_words({**row, **names}) == (
        "worth at most 4.2% of E2E latency, a factor 2.50 of TTFT (A beside B; differing in flags)."
    )

"""`polystack study`: what it says before it starts, a run on mocks, and its table."""

from pathlib import Path

import pytest

from python_runner.engines import mock
from python_runner.engines.contract import GenerateRequest, Generation
from python_runner.store import Store, read_frames
from tests.golden.loads import LLAMA, OLLAMA, closed_levels, record_load
from tests.unit.cli.conftest import Polystack

BRIEF = ("study", "languages", "--scale", "tiny", "--stacks", "mock-cpp,mock-python")
MARK = {"name": "users", "scale": "tiny", "series": "s", "left_out": {"vllm": "no GPU here"}}


def test_alone_it_lists_the_studies_and_their_scales(polystack: Polystack) -> None:
    said = polystack("study")
    assert said.code == 0
    for name in ("languages: ", "long-sequences: ", "users: "):
        assert name in said.out
    assert "tiny: the tiny model" in said.out


def test_what_it_would_take_is_said_and_nothing_is_stored(
    polystack: Polystack, results: Path
) -> None:
    said = polystack("study", "users", "--list", "--budget", "2s")
    assert said.code == 0
    assert "Not at the scale full: " in said.out
    assert "scale tiny" in said.out
    assert "1, 10 and 50 users" in said.out
    assert "of measuring" in said.out
    assert not results.exists()


def test_a_run_ends_with_the_table_and_shows_it_again(polystack: Polystack, results: Path) -> None:
    ran = polystack(*BRIEF)
    assert ran.code == 0, ran.err + ran.out
    for said in ("Four languages (study 1)", "not comparable", "14,000", "Scale tiny"):
        assert said in ran.out
    assert "Four languages (study 1)" in polystack("show").out
    with Store(results / "polystack.sqlite") as store:
        study = str(read_frames(store).runs["study_json"].iloc[0])
    assert '"scale":"tiny"' in study
    page = (results / "run-0001" / "report.html").read_text(encoding="utf-8")
    comment = (results / "run-0001" / "report.md").read_text(encoding="utf-8")
    for text in (page, comment):
        assert "Four languages (study 1)" in text


@pytest.mark.usefixtures("loaded")
def test_a_load_shows_its_table_and_exports_it(polystack: Polystack, results: Path) -> None:
    shown = polystack("show").out
    assert "Many users at once (study 2)" in shown
    assert "vLLM: no GPU here" in shown
    assert polystack("export").code == 0
    table = (results / "run-0001" / "study.csv").read_text(encoding="utf-8")
    head, first, *_ = table.splitlines()
    assert head.startswith("Backend,Users,TTFT (ms),TGR (tokens/s),Requests +,whose")
    assert first.startswith("llama-server,1,")
    assert "| llama-server | 1 |" in (results / "run-0001" / "study.md").read_text(encoding="utf-8")


@pytest.mark.usefixtures("loaded")
def test_the_report_of_a_load_says_which_engine_batches(
    polystack: Polystack, results: Path
) -> None:
    assert polystack("report", "--format", "md,html").code == 0
    comment = (results / "run-0001" / "report.md").read_text(encoding="utf-8")
    assert "## Which engine batches" in comment
    assert "## Many users at once (study 2)" in comment


@pytest.fixture
def loaded(results: Path) -> None:
    with Store(results / "polystack.sqlite") as store:
        record_load(store, [LLAMA, OLLAMA], closed_levels([1, 10]), published=MARK)


def test_ctrl_c_keeps_what_is_finished(
    polystack: Polystack, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = mock.MockModel.generate
    calls = 0

    def interrupted(model: mock.MockModel, request: GenerateRequest) -> Generation:
        nonlocal calls
        calls += 1
        if calls == 8:
            raise KeyboardInterrupt
        return answer(model, request)

    monkeypatch.setattr(mock.MockModel, "generate", interrupted)
    ended = polystack(*BRIEF)
    assert ended.code == 130
    assert "polystack show 1" in ended.out
    shown = polystack("show", "1")
    assert shown.code == 0
    assert "Four languages (study 1)" in shown.out


def test_a_broken_stack_is_a_row(polystack: Polystack, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = mock.MockEngine(mock.CPP.spec, mock.MockScript(crash_at=6))
    monkeypatch.setattr(mock, "CPP", broken)
    ran = polystack(*BRIEF)
    assert ran.code == 5
    assert "mock C++: mock C++ ended by itself (signal SIGILL)" in ran.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("study", "userz"), "Did you mean 'users'?"),
        (("study", "users", "--scale", "huge"), "unknown scale 'huge'"),
        (("study", "users", "--scale", "tiny", "--stacks", "olama"), "olama"),
        (("study", "users", "--scale", "tiny", "--stacks", "llama.cpp"), "one request at a time"),
        (("study", "users", "--budget", "soon"), "no duration"),
        (("study", "users", "--scale", "tiny", "--prompts", "none.txt"), "no file none.txt"),
        (("study", "languages", "--scale", "tiny", "--prompts", "x"), "x cannot be read"),
        (("study", "users", "--scale", "tiny", "--device", "moon"), "device"),
    ],
)
def test_mistakes_are_told_before_anything_starts(
    polystack: Polystack, results: Path, arguments: tuple[str, ...], said: str
) -> None:
    ended = polystack(*arguments)
    assert ended.code in (2, 3)
    assert said in ended.err
    assert not results.exists()

"""`polystack why`, from a stored run to a verdict in plain words, on mocks."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest

from python_runner.engines.contract import GenerateRequest, Generation
from python_runner.engines.mock import MockEngine, MockModel
from python_runner.run.why import runs_explaining
from python_runner.store import Store, read_frames
from tests.unit.cli.conftest import Outcome, Polystack


def flat(text: str) -> str:
    return " ".join(text.split())


@pytest.fixture
def compared(polystack: Polystack, tunable: MockEngine) -> Outcome:
    """Run 1: two mocks, one of which has a collector to switch off."""
    outcome = polystack(
        *("compare", "demo", "--stacks", "mock-go,mock-cpp", "--threads", "2"),
        *("--iterations", "8", "--warmup", "1"),
    )
    assert outcome.code == 0, outcome.err
    return outcome


def test_an_effect_comes_with_interval_verdict_and_conditions(
    compared: Outcome, polystack: Polystack
) -> None:
    outcome = polystack("why", "1", "--only", "gogc")
    assert outcome.code == 0, outcome.err
    said = flat(outcome.out)
    assert "Is it Go's garbage collector?" in said
    assert (
        "Switching Go's collector off in mock Go changes E2E latency by \N{MINUS SIGN}10 % ("
        in said
    )
    assert "Why run 1 came out as it did" in said
    assert "bf16 · CPU · 2 threads" in said


def test_the_run_is_stored_like_any_other_and_linked(
    compared: Outcome, polystack: Polystack, results: Path
) -> None:
    assert polystack("why", "1", "--only", "gogc").code == 0
    with Store(results / "polystack.sqlite") as store:
        assert store.run_ids() == [1, 2]
        assert runs_explaining(store, 1) == [2]
        assert runs_explaining(store, 2) == []
        frames = read_frames(store, [2])
    assert set(frames.conditions["stack"]) == {"mock-go", "mock-go@gogc=off", "mock-go@gogc=25"}
    assert list(frames.runs["kind"]) == ["comparison"]
    assert "GOGC off" in flat(polystack("show", "2").out)
    assert "changes E2E latency by" in flat(polystack("show", "2").out)


def test_what_was_found_is_shown_again(compared: Outcome, polystack: Polystack) -> None:
    before = polystack("why", "1", "--show")
    assert before.code == 2
    assert "no ablation of run 1" in before.err
    assert polystack("why", "1", "--only", "gogc").code == 0
    for run in ("1", "2", "latest"):
        again = polystack("why", run, "--show")
        assert again.code == 0
        assert "Switching Go's collector off in mock Go" in flat(again.out)


def test_a_run_that_explains_leads_to_the_one_it_explains(
    compared: Outcome, polystack: Polystack
) -> None:
    assert polystack("why", "1", "--only", "gogc").code == 0
    outcome = polystack("why", "latest", "--list")
    assert outcome.code == 0
    assert "Run 2 explains run 1" in outcome.out
    assert "Ablations of run 1" in outcome.out


def test_a_list_runs_nothing(compared: Outcome, polystack: Polystack, results: Path) -> None:
    outcome = polystack("why", "--list")
    assert outcome.code == 0
    said = flat(outcome.out)
    for name in ("mock-go@gogc=off", "mock-go@precision=8bit", "mock-cpp@threads=1"):
        assert name in said
    with Store(results / "polystack.sqlite") as store:
        assert store.run_ids() == [1]


def test_a_budget_takes_the_most_telling_and_tells_the_rest(
    compared: Outcome, polystack: Polystack
) -> None:
    outcome = polystack("why", "--list", "--budget", "80s")
    taken, _, left_out = outcome.out.partition("Left out, because")
    assert "mock-go@precision=8bit" in taken
    assert "mock-go@gogc=25" in left_out
    assert "more for all" in left_out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--budget", "1s"), "nothing fits into 1s"),
        (("--budget", "soon"), "no duration"),
        (("--only", "gcc"), "unknown cause 'gcc'"),
        (("--only", "prompt-cache"), "no ablation of these causes can be made"),
    ],
)
def test_a_users_mistake_is_told(
    compared: Outcome, polystack: Polystack, results: Path, options: tuple[str, ...], said: str
) -> None:
    outcome = polystack("why", "1", *options)
    assert outcome.code == 2
    assert said in outcome.err
    with Store(results / "polystack.sqlite") as store:
        assert store.run_ids() == [1]


def test_ctrl_c_keeps_what_is_done(
    compared: Outcome, polystack: Polystack, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generate = MockModel.generate
    calls = count()

    def interrupted(model: MockModel, request: GenerateRequest) -> Generation:
        if next(calls) == 20:  # two stacks of nine requests are done
            raise KeyboardInterrupt
        return generate(model, request)

    monkeypatch.setattr(MockModel, "generate", interrupted)
    outcome = polystack("why", "1", "--only", "gogc")
    assert outcome.code == 130
    assert "What was finished is kept" in outcome.out
    said = flat(outcome.out)
    assert "changes E2E latency by" in said
    with Store(results / "polystack.sqlite") as store:
        assert runs_explaining(store, 1) == [2]


def test_a_load_has_no_ablations(polystack: Polystack, tunable: MockEngine, results: Path) -> None:
    with Store(results / "polystack.sqlite") as store, store.transaction() as connection:
        connection.execute(
            "INSERT INTO runs (study, created, status, study_json, host_json, program_version,"
            " kind) VALUES ('x', '', 'complete', '{}', '{}', '0', 'load')"
        )
    outcome = polystack("why", "1")
    assert outcome.code == 2
    assert "is a load" in outcome.err

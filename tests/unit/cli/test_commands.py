"""What a user types, and what comes of it."""

from importlib.metadata import version
from pathlib import Path

import pandas as pd
import pytest

from python_runner.common.checkup import Finding, State
from python_runner.engines.checkup import EnginesCheckup
from python_runner.engines.vllm.engine import VllmCpuEngine
from tests.unit.cli.conftest import MOCKS, Outcome, Polystack, read_json

PICTURES = 6
SAMPLES = 4 * (2 + 2 + 1 + 2)
"""Two blocks of two iterations, after two requests of warm-up and after one."""


def test_compare_ends_with_a_table_and_pictures(compared: Outcome, results: Path) -> None:
    for title in ("mock C++", "mock Go", "mock Rust", "mock Python"):
        assert title in compared.out
    for kind in ("png", "svg"):
        drawn = list((results / "run-0001").glob(f"*.{kind}"))
        assert len(drawn) == PICTURES
        assert all(path.name in compared.out.replace("\n", "") for path in drawn)


def test_runs_lists_what_is_stored(compared: Outcome, polystack: Polystack) -> None:
    outcome = polystack("runs")
    assert outcome.code == 0
    assert "demo" in outcome.out
    assert "complete" in outcome.out


def test_show_tells_conditions_and_samples(compared: Outcome, polystack: Polystack) -> None:
    outcome = polystack("show", "1")
    assert outcome.code == 0
    assert "mock 1" in outcome.out
    assert "gemma-2-tiny" in outcome.out


def test_time_tells_where_it_goes(compared: Outcome, polystack: Polystack) -> None:
    outcome = polystack("time")
    assert outcome.code == 0
    assert "prefill" in outcome.out
    assert "not visible" in outcome.out


def test_plot_draws_again(compared: Outcome, polystack: Polystack, results: Path) -> None:
    for path in (results / "run-0001").glob("*.png"):
        path.unlink()
    assert polystack("plot", "latest").code == 0
    assert len(list((results / "run-0001").glob("*.png"))) == PICTURES


def test_export_csv(compared: Outcome, polystack: Polystack, tmp_path: Path) -> None:
    target = tmp_path / "x.csv"
    assert polystack("export", "1", "--format", "csv", "-o", str(target)).code == 0
    assert len(pd.read_csv(target)) == SAMPLES


def test_export_parquet(compared: Outcome, polystack: Polystack, tmp_path: Path) -> None:
    target = tmp_path / "x.parquet"
    assert polystack("export", "1", "--format", "parquet", "-o", str(target)).code == 0
    assert len(pd.read_parquet(target)) == SAMPLES


def test_export_json(compared: Outcome, polystack: Polystack, tmp_path: Path) -> None:
    target = tmp_path / "x.json"
    assert polystack("export", "1", "--format", "json", "-o", str(target)).code == 0
    assert read_json(target)


def test_export_in_an_unknown_format(compared: Outcome, polystack: Polystack) -> None:
    outcome = polystack("export", "1", "--format", "xls")
    assert outcome.code == 2
    assert "parquet" in outcome.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("compare", "langages"), "Did you mean 'languages'?"),
        (("compare", "demo", "--stacks", "mock-cpp,olama"), "unknown engine 'olama'"),
        (("compare", "demo", "--model", "gemma-9"), "unknown model 'gemma-9'"),
        (("compare", "demo", "--model", "./nothing"), "no model lies at ./nothing"),
        (("compare", "demo", "--model", ""), "model"),
        (("models", "remove", "gemma-9"), "unknown model 'gemma-9'"),
        (("compare", "demo", "--iterations", "0"), "iterations = 0"),
        (("compare", "demo", "--iterations", "-2"), "iterations = -2"),
        (("compare", "demo", "--warmup", "-1"), "warmup = -1"),
        (("compare", "demo", "--new-tokens", "0"), "workload.new_tokens = 0"),
        (("compare", "demo", "--threads", "0"), "threads = 0"),
        (("compare", "demo", "--precision", "fp7"), "bf16"),
        (("compare", "demo", "--stacks", ","), "stacks"),
        (("compare", "demo", "--iterations", "many"), "--iterations"),
        (("compare", "demo", "--no-such-option"), "--no-such-option"),
        (("frobnicate",), "frobnicate"),
    ],
)
def test_a_users_mistake_is_told(
    polystack: Polystack, results: Path, arguments: tuple[str, ...], said: str
) -> None:
    outcome = polystack(*arguments)
    assert outcome.code == 2
    assert said in outcome.err
    assert not results.exists()


def test_without_results_the_next_step_is_named(polystack: Polystack) -> None:
    outcome = polystack("runs")
    assert outcome.code == 7
    assert "polystack compare" in outcome.err


def test_an_unknown_run_is_named(compared: Outcome, polystack: Polystack) -> None:
    outcome = polystack("show", "17")
    assert outcome.code == 2
    assert "unknown run '17'" in outcome.err


def test_help_and_version(polystack: Polystack) -> None:
    assert "compare" in polystack("--help").out
    assert polystack("--version").out.startswith("polystack ")


def stands(monkeypatch: pytest.MonkeyPatch, **states: State) -> None:
    """Let the machine have these engines; the real look starts compilers."""
    found = [
        Finding(subject=name, state=state, detail="", mend=f"get {name}", expected_s=90.0)
        if state is State.LATER
        else Finding(subject=name, state=state, detail="", mend=f"get {name}")
        for name, state in states.items()
    ]
    monkeypatch.setattr(EnginesCheckup, "look", lambda _: found)


def test_engines_are_listed_with_how_they_stand(
    polystack: Polystack, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = {"llama.cpp": State.LATER, "transformers": State.READY, "vllm-cpu": State.MISSING}
    stands(monkeypatch, **named, llamafile=State.NOTE, stranger=State.MISSING)
    listed = polystack("engines").out
    rows = {words[0]: words for line in listed.splitlines() if (words := line.split())}
    assert rows["transformers"][1:5] == ["Python", "embedded", version("transformers"), "ready"]
    assert "builds in" in listed
    assert rows["vllm-cpu"][3] == "no"
    assert "vllm-cpu: get vllm-cpu" in listed
    assert "Not here: vllm-cpu, llamafile, stranger." in listed
    assert "Apache-2.0" in listed


def test_knobs_are_listed_apart(polystack: Polystack) -> None:
    assert "gogc" in polystack("engines", "--knobs").out


def test_models_are_listed(polystack: Polystack) -> None:
    assert "gemma-2-tiny" in polystack("models").out


def test_what_is_large_is_installed_by_its_name_and_listed_with_what_to_type(
    polystack: Polystack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POLYSTACK_CACHE", str(tmp_path / "cache"))
    asked: list[str] = []
    monkeypatch.setattr(
        VllmCpuEngine, "install", lambda engine, progress: asked.append(engine.spec.name)
    )
    assert polystack("build", "--stacks", "vllm-cpu").code == 0
    assert asked == ["vllm-cpu"]


def test_what_was_made_of_a_model_is_removed_after_a_question(
    polystack: Polystack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POLYSTACK_CACHE", str(tmp_path / "cache"))
    made = tmp_path / "cache" / "models" / "gguf" / f"gemma-2-tiny-{'0' * 16}-bf16-converter-1.gguf"
    made.parent.mkdir(parents=True)
    made.write_bytes(b"GGUF" * 500_000)
    assert str(made) in polystack("models").out
    monkeypatch.setattr("typer.confirm", lambda _: False)
    assert "Nothing was removed" in polystack("models", "remove", "gemma-2-tiny").out
    assert made.exists()
    outcome = polystack("models", "remove", "gemma-2-tiny", "--yes")
    assert outcome.code == 0
    assert "Freed 2 MB" in outcome.out
    assert "Stays, as it was not made here" in outcome.out
    assert not made.exists()
    assert "Nothing of gemma-2-tiny was made" in polystack("models", "remove", "gemma-2-tiny").out


def test_mocks_can_be_named(polystack: Polystack) -> None:
    outcome = polystack("compare", "demo", "--stacks", MOCKS, "--iterations", "1", "--warmup", "0")
    assert outcome.code == 0, outcome.err


def test_the_statistics_are_held_against_simulated_runs(polystack: Polystack) -> None:
    outcome = polystack("bench-statistics", "--runs", "50")
    assert outcome.code == 0
    assert "false alarms, full rule, blind probe" in outcome.out
    assert "interval holds the truth" in outcome.out

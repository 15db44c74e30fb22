"""`polystack report` on stored runs of mocks."""

from __future__ import annotations

import webbrowser
from pathlib import Path

import pytest

from python_runner.cli.opening import is_terminal
from python_runner.store import Store
from tests.golden.loads import LLAMA, closed_levels, record_load
from tests.unit.cli.conftest import MOCKS, Outcome, Polystack, read_json


def test_a_comparison_ends_with_its_report(compared: Outcome, results: Path) -> None:
    for name in ("report.md", "summary.json"):
        path = results / "run-0001" / name
        assert path.is_file()
        assert name in compared.out.replace("\n", "")


def test_the_command_is_kept_and_told(compared: Outcome, results: Path) -> None:
    typed = f"polystack compare demo --stacks {MOCKS} --iterations 4"
    summary = read_json(results / "run-0001" / "summary.json")
    assert isinstance(summary, dict)
    assert summary["runs"][0]["command"] == typed
    text = (results / "run-0001" / "report.md").read_text(encoding="utf-8")
    assert f"```\n{typed}\n```" in text


def test_the_study_in_the_report_repeats_the_run(
    compared: Outcome, polystack: Polystack, results: Path, tmp_path: Path
) -> None:
    text = (results / "run-0001" / "report.md").read_text(encoding="utf-8")
    study = next(part for part in text.split("```") if part.startswith("\nname = "))
    path = tmp_path / "run-1.toml"
    path.write_text(study, encoding="utf-8")
    assert polystack("compare", str(path)).code == 0
    outcome = polystack("diff", "1", "2")
    assert "Nothing changed in the conditions." in outcome.out


def test_formats_and_folder_are_as_asked(
    compared: Outcome, polystack: Polystack, tmp_path: Path
) -> None:
    outcome = polystack("report", "1", "--format", "md, csv", "-o", str(tmp_path / "new" / "here"))
    assert outcome.code == 0
    names = {path.name for path in (tmp_path / "new" / "here").iterdir()}
    assert {"report.md", "samples.csv", "samples-tokens.csv"} <= names
    assert "summary.json" not in names
    assert all(name in outcome.out.replace("\n", "") for name in names)


def test_parquet_is_a_format_too(compared: Outcome, polystack: Polystack, tmp_path: Path) -> None:
    assert polystack("report", "--format", "parquet", "-o", str(tmp_path)).code == 0
    assert (tmp_path / "samples.parquet").is_file()


def test_several_runs_make_one_report(
    compared: Outcome, polystack: Polystack, results: Path
) -> None:
    with Store(results / "polystack.sqlite") as store:
        record_load(store, [LLAMA], closed_levels([2]))
    outcome = polystack("report", "1", "latest", "1", "--format", "md,json")
    assert outcome.code == 0, outcome.err
    summary = read_json(results / "runs-1-2" / "summary.json")
    assert isinstance(summary, dict)
    assert [run["kind"] for run in summary["runs"]] == ["comparison", "load"]


def test_pictures_are_named_as_seen_from_the_markdown(
    compared: Outcome, polystack: Polystack, results: Path
) -> None:
    outcome = polystack("report", "1", "--format", "md", "-o", str(results / "other"))
    assert outcome.code == 0
    assert (results / "other" / "report.md").is_file()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("7",), "unknown run '7'"),
        (("1", "--format", "pdf"), "unknown report format 'pdf'"),
        (("1", "--format", "htm"), "Did you mean 'html'?"),
        (("1", "--format", ","), "--format names no format"),
    ],
)
def test_wrong_input_is_told(
    compared: Outcome, polystack: Polystack, arguments: tuple[str, ...], said: str
) -> None:
    outcome = polystack("report", *arguments)
    assert outcome.code == 2
    assert said in outcome.err.replace("\n", " ")


def test_no_results_are_told(polystack: Polystack) -> None:
    outcome = polystack("report")
    assert outcome.code == 7
    assert "polystack compare" in outcome.err


def test_a_folder_that_cannot_be_written_is_told(
    compared: Outcome, polystack: Polystack, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    outcome = polystack("report", "1", "-o", str(tmp_path / "file" / "below"))
    assert outcome.code == 2
    assert "cannot be written" in outcome.err
    assert "--output" in outcome.err


def test_a_run_without_samples_says_that_nothing_can_be_said(
    polystack: Polystack, results: Path
) -> None:
    with Store(results / "polystack.sqlite") as store:
        record_load(store, [], closed_levels([2]))
    outcome = polystack("report")
    assert outcome.code == 0, outcome.err
    text = (results / "run-0001" / "report.md").read_text(encoding="utf-8")
    assert "nothing can be said" in text


def test_nothing_opens_without_a_terminal(
    compared: Outcome, polystack: Polystack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webbrowser, "open", lambda _: pytest.fail("opened"))
    monkeypatch.setenv("DISPLAY", ":0")
    assert not is_terminal()
    assert polystack("report", "1").code == 0
    assert polystack("report", "1", "--no-open").code == 0

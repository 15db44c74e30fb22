"""`load`: stored runs as tidy frames."""

from __future__ import annotations

import sqlite3
import subprocess
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import python_runner
from python_runner import columns, load, runs
from python_runner.analyse.columns import COLUMNS, COMPARISON, LOAD
from python_runner.common.errors import StoreError, UnknownNameError, UsageError
from python_runner.common.locations import source_root
from python_runner.notebook.places import SAMPLE_FILE
from python_runner.store import Store


def test_the_latest_run_is_loaded_if_none_is_named(
    stored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POLYSTACK_RESULTS", str(stored))
    assert set(load()["run_id"]) == {3}
    assert set(load("latest")["run_id"]) == {3}


def test_runs_are_named_by_number_and_stand_in_one_frame(stored: Path) -> None:
    assert set(load(1, 2, results=stored)["run_id"]) == {1, 2}
    assert set(load(stored, "2")["run_id"]) == {2}
    assert set(load(stored / "polystack.sqlite", 1)["run_id"]) == {1}
    assert set(load(str(stored), 1)["run_id"]) == {1}


def test_a_row_is_a_request_with_its_figures_and_conditions(stored: Path) -> None:
    rows = load(stored, 1)
    assert len(rows) == 4 * 8 + 4 * 3  # two of warm-up in the first block, one in the second
    assert list(rows.columns[:5]) == ["run_id", "stack", "title", "language", "path"]
    timed = rows[~rows["is_warmup"]]
    assert set(rows["outcome"]) == {"complete"}
    assert (timed["ttft_ms"] < timed["e2e_ms"]).all()
    assert (timed["itl_p50_ms"] <= timed["itl_max_ms"]).all()
    assert rows["started_s"].min() == 0
    assert set(rows["language"]) == {"C++", "Go", "Rust", "Python"}


def test_a_request_of_a_load_has_its_level(stored: Path) -> None:
    rows = load(stored, 3)
    assert set(rows["users"]) == {1, 4}
    assert rows["itl_p50_ms"].notna().any()
    assert rows["started_s"].min() == 0


@pytest.mark.parametrize(
    ("run", "rows"), [*((1, name) for name in COMPARISON), *((3, name) for name in LOAD)]
)
def test_every_table_has_exactly_the_columns_that_are_documented(
    run: int, rows: str, stored: Path
) -> None:
    described = (LOAD if run == 3 else COMPARISON)[rows]
    assert set(load(stored, run, rows=rows).columns) == set(described)


@pytest.mark.parametrize("rows", COLUMNS)
def test_columns_whose_names_say_a_unit_have_it(rows: str) -> None:
    table = columns(rows)
    for ending, unit in (("_ms", "ms"), ("_ns", "ns"), ("_bytes", "bytes"), ("_seconds", "s")):
        named = table[table.index.str.endswith(ending)]
        assert set(named["unit"]) <= {unit}
    assert (table["meaning"] != "").all()


def test_the_conditions_travel_with_the_frame(stored: Path) -> None:
    rows = load(stored, 1, 2)
    kept = rows[rows["run_id"] == 1].attrs["polystack"]
    assert [words["run_id"] for words in kept] == [1, 2]
    assert any("Tiny model" in text for text in kept[0]["warnings"])


def test_a_frame_goes_to_parquet_and_back(stored: Path, tmp_path: Path) -> None:
    numbers = load(stored, 1)[["title", "iteration", "is_warmup", "e2e_ms"]]
    numbers.to_parquet(tmp_path / "rows.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "rows.parquet"), numbers)


def test_runs_are_listed(stored: Path) -> None:
    listed = runs(stored)
    assert list(listed["run_id"]) == [1, 2, 3]
    assert list(listed["kind"]) == ["comparison", "comparison", "load"]


@pytest.mark.parametrize(
    ("what", "rows", "kind", "says"),
    [
        ((9,), "requests", UnknownNameError, "unknown run '9'"),
        (("lates",), "requests", UnknownNameError, "unknown run or place 'lates'"),
        ((1, 3), "requests", UsageError, "comparisons and loads have other rows"),
        ((1,), "request", UnknownNameError, "unknown table of a comparison 'request'"),
        ((3,), "tokens", UnknownNameError, "unknown table of a load 'tokens'"),
        ((1.5,), "requests", UsageError, "neither a run nor a place"),
        ((True,), "requests", UsageError, "neither a run nor a place"),
        (([1, 2],), "requests", UsageError, "neither a run nor a place"),
        ((1, "sample"), "requests", UsageError, "runs are named before it"),
        (("sample",), "requests", UsageError, "two places are named"),
    ],
)
def test_a_mistake_is_told_with_what_to_do(
    what: tuple[Any, ...], rows: str, kind: type[UsageError], says: str, stored: Path
) -> None:
    with pytest.raises(kind, match=says) as caught:
        load(*what, rows=rows, results=stored)
    assert caught.value.hint


def test_a_notebook_shows_message_and_hint_and_no_traceback(stored: Path) -> None:
    with pytest.raises(UnknownNameError) as caught:
        load(stored, 9)
    assert caught.value._render_traceback_() == [
        "UnknownNameError: unknown run '9'",
        "Known: 1, 2, 3, latest.",
    ]


def test_a_plain_traceback_ends_with_the_hint(stored: Path) -> None:
    with pytest.raises(UnknownNameError) as caught:
        load(stored, 9)
    assert caught.value.__notes__ == ["Known: 1, 2, 3, latest."]


def test_without_results_the_sample_is_offered(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no results at") as caught:
        load(tmp_path / "empty")
    assert '"sample"' in caught.value.hint


def test_results_without_a_run(tmp_path: Path) -> None:
    Store(tmp_path / "polystack.sqlite").close()
    with pytest.raises(StoreError, match="holds no run yet"):
        load(tmp_path)


def test_a_file_that_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no database", encoding="utf-8")
    with pytest.raises(StoreError, match=r"notes\.txt"):
        load(tmp_path / "notes.txt")


def test_results_of_the_checkout_are_found_from_its_folders(
    stored: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "results").symlink_to(stored)
    monkeypatch.setattr("python_runner.notebook.places.source_root", lambda: tmp_path)
    monkeypatch.chdir(tmp_path / "notebooks")
    assert set(load(1)["run_id"]) == {1}


def test_a_file_that_cannot_be_written_is_read_from_a_copy(
    stored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("python_runner.notebook.places._is_writable", lambda _: False)
    before = (stored / "polystack.sqlite").read_bytes()
    assert set(load(stored, 1)["run_id"]) == {1}
    assert (stored / "polystack.sqlite").read_bytes() == before


def test_import_takes_in_nothing_heavy() -> None:
    source = (source_root() / "python_runner" / "__init__.py").read_text(encoding="utf-8")
    assert "import pandas" not in source
    assert set(python_runner.__all__) <= set(dir(python_runner))
    with pytest.raises(AttributeError):
        _ = python_runner.nothing_of_that_name


def test_the_sample_has_all_that_is_promised() -> None:
    rows = load("sample")
    assert set(rows["model"]) == {"gemma-2-tiny"}
    assert set(rows["stack"]) == {"llama.cpp", "ollama", "mistral.rs", "transformers"}
    timed = rows[~rows["is_warmup"]]
    assert set(timed.groupby("stack").size()) == {10}
    assert set(timed["outcome"]) == {"complete"}
    assert timed["block"].nunique() == 5
    assert set(load("sample", rows="answers")["stack"]) == set(rows["stack"])
    assert len(load("sample", rows="fairness"))
    assert any("Tiny model" in text for text in rows.attrs["polystack"][0]["warnings"])


def test_the_sample_is_small_says_nothing_of_its_maker_and_stays_as_it_is() -> None:
    before = SAMPLE_FILE.read_bytes()
    load("sample")
    assert SAMPLE_FILE.read_bytes() == before
    assert not list(SAMPLE_FILE.parent.glob(f"{SAMPLE_FILE.name}-*"))
    assert len(before) < 600_000
    for trace in (b"/home/", b"/root/", b"/tmp/", b"/Users/"):
        assert trace not in before
    with sqlite3.connect(f"file:{SAMPLE_FILE}?mode=ro", uri=True) as database:
        (mode,) = database.execute("PRAGMA journal_mode").fetchone()
    database.close()
    assert mode == "delete"


def test_no_process_is_started_to_look_at_runs(stored: Path) -> None:
    assert subprocess.Popen.__init__.__name__ == "_refuse"
    assert len(load(stored, 1))

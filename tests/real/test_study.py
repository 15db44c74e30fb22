"""`polystack study` on real servers: one short run of users, and what it says afterwards."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from python_runner.common.locations import source_root
from tests.real.command import Marked

SHORT_S = 2.5


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Marked, int, str]:
    """The tiny scale of users on two servers, with levels that are as short as can be."""
    folder = tmp_path_factory.mktemp("study")
    shipped = source_root() / "studies" / "published" / "users.toml"
    text = shipped.read_text(encoding="utf-8")
    brief = text.replace("duration_s = 10.0", f"duration_s = {SHORT_S}")
    assert brief != text
    (folder / "brief.toml").write_text(brief, encoding="utf-8")
    marked = Marked(folder)
    code, printed = marked.run(
        *("study", "brief.toml", "--scale", "tiny", "--stacks", "llama-server,ollama"),
        *("--threads", "1", "--no-open"),
    )
    return marked, code, printed


def test_every_level_of_every_server_has_figures(ran: tuple[Marked, int, str]) -> None:
    marked, code, printed = ran
    assert code == 0, printed
    assert "scale tiny" in printed
    assert marked.run("export")[0] == 0
    table = marked.folder / "results" / "run-0001" / "study.csv"
    with table.open(encoding="utf-8", newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["whose"] == "ours" and row["Users"]]
    assert [(row["Backend"], row["Users"]) for row in rows] == [
        (title, users)
        for title in ("llama-server", "Ollama (C++ engine)")
        for users in ("1", "10", "50")
    ]
    assert all(float(row["TTFT (ms)"]) > 0 for row in rows)
    assert all(float(row["TGR (tokens/s)"]) > 0 for row in rows)


def test_it_shows_its_table_and_its_pictures_again(ran: tuple[Marked, int, str]) -> None:
    marked, _, printed = ran
    shown = marked.run("show")[1]
    for said in ("Many users at once (study 2)", "their A100 80GB"):
        assert said in printed
        assert said in shown
    pictures = {path.name for path in (marked.folder / "results" / "run-0001").glob("*.png")}
    assert {"ttft.png", "throughput.png"} <= pictures
    assert not marked.processes()


def test_the_report_says_which_engine_batches(ran: tuple[Marked, int, str]) -> None:
    marked, _, _ = ran
    report = (marked.folder / "results" / "run-0001" / "report.md").read_text(encoding="utf-8")
    part = report.partition("## Which engine batches")[2].partition("\n## ")[0]
    assert "llama-server" in part
    assert "Ollama" in part
    assert "as many together as there are slots" in part


def test_nothing_of_the_original_is_claimed_for_this_machine(
    ran: tuple[Marked, int, str],
) -> None:
    marked, _, _ = ran
    table: Path = marked.folder / "results" / "run-0001" / "study.csv"
    if not table.exists():
        assert marked.run("export")[0] == 0
    with table.open(encoding="utf-8", newline="") as lines:
        theirs = [
            row
            for row in csv.DictReader(lines)
            if "compar" in row["whose"] or "original" in row["whose"]
        ]
    assert theirs
    assert {row["whose"] for row in theirs} == {"not comparable"}

"""Questions of a user's, whose answers may end, through two engines at the tiny scale."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.contract.data import END_PROMPT, HELD_OUT
from tests.real.command import Marked

ASKED = (HELD_OUT[0], END_PROMPT, HELD_OUT[1], HELD_OUT[2])


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Marked, str]:
    folder = tmp_path_factory.mktemp("nine")
    (folder / "asked.txt").write_text("\n".join(ASKED), encoding="utf-8")
    marked = Marked(folder)
    code, printed = marked.run(
        *("study", "nine-prompts", "--scale", "tiny", "--stacks", "llama.cpp,ollama"),
        *("--threads", "1", "--prompts", "asked.txt", "--no-open"),
    )
    assert code == 0, printed
    assert not marked.processes()
    return marked, printed


def rows_of(marked: Marked, name: str) -> list[dict[str, str]]:
    path: Path = marked.folder / "results" / "run-0001" / name
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def test_every_prompt_but_the_first_has_an_answer(ran: tuple[Marked, str]) -> None:
    marked, _ = ran
    answers = {name: rows_of(marked, f"answers-{name}.csv") for name in ("llama.cpp", "ollama")}
    for rows in answers.values():
        assert [row["prompt"] for row in rows] == list(ASKED[1:])
        assert float(rows[0]["output_tokens"]) < float(rows[1]["output_tokens"]) == 30
        assert all(float(row["seconds"]) > 0 for row in rows)
    for name in ("output_tokens", "answer"):
        first, second = ([row[name] for row in rows] for rows in answers.values())
        assert first == second


def test_the_table_has_speed_tokens_and_agreement(ran: tuple[Marked, str]) -> None:
    marked, printed = ran
    assert "Nine prompts (study 4)" in printed
    assert marked.run("export")[0] == 0
    rows = [row for row in rows_of(marked, "study.csv") if row["whose"] == "ours"]
    measured = [row for row in rows if row["tokens/s"]]
    assert [row["platform"] for row in measured] == ["llama.cpp", "Ollama (C++ engine)"]
    assert {row["prompts +"] for row in measured} == {"3"}
    assert {0 < float(row["output tokens"]) < 30 for row in measured} == {True}
    assert all(float(row["agreement (%) +"]) > 90 for row in measured)


def test_its_claims_say_what_they_would_take(ran: tuple[Marked, str]) -> None:
    marked, _ = ran
    code, printed = marked.run("claims", "latest")
    assert code == 0
    assert "inconclusive" in printed
    assert "an A6000" in printed

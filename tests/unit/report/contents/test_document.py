"""What stands in a report, and in which order."""

from __future__ import annotations

import pytest

from python_runner.common.errors import UsageError
from python_runner.report.contents import document_of
from python_runner.report.document import Block, Cell, Document, Points, Table, Tone
from tests.unit.report.contents.told import (
    comparison,
    document,
    load,
    renumbered,
    without_figures,
)

ORDER = [
    "figures",
    "baseline",
    "iterations",
    "distributions",
    "tokens",
    "pairs",
    "fairness",
    "time",
    "serving",
    "ablations",
    "ggml",
    "answers",
    "claims",
    "environment",
    "repeat",
]


def blocks_of(told: Document, key: str) -> list[Block]:
    return [block for section in told.sections if section.key == key for block in section.blocks]


def tables_of(told: Document, key: str) -> list[Table]:
    return [block for block in blocks_of(told, key) if isinstance(block, Table)]


def row_of(table: Table, name: str) -> dict[str, Cell]:
    cells = next(row for row in table.rows if row[0].text.startswith(name))
    return {column.title: cell for column, cell in zip(table.columns, cells, strict=True)}


@pytest.mark.parametrize("case", ["four", "both ways", "troubled", "nothing started"])
def test_sections_stand_in_reading_order(case: str) -> None:
    keys = [section.key for section in document(case).sections]
    assert keys == [key for key in ORDER if key in keys]
    assert {"figures", "pairs", "fairness", "answers", "environment", "repeat"} <= set(keys)


@pytest.mark.parametrize("case", ["four", "both ways", "troubled", "nothing started"])
def test_every_row_is_as_long_as_there_are_columns(case: str) -> None:
    for section in document(case).sections:
        for block in section.blocks:
            if isinstance(block, Table):
                assert {len(row) for row in block.rows} <= {len(block.columns)}, section.key
            assert not isinstance(block, Points) or block.items, section.key


def test_a_stack_has_its_figures_with_numbers_behind_them() -> None:
    embedded, served = tables_of(document("four"), "figures")
    row = row_of(embedded, "llama.cpp")
    assert row["E2E latency"].value == pytest.approx(7_900, rel=0.05)
    assert row["E2E latency"].text.endswith(" s")
    assert row["outcome"].text == "complete"
    assert row_of(served, "Ollama")["ratio of medians"].text == "fastest"


def test_a_stack_that_failed_is_a_row_with_its_reason() -> None:
    embedded, _ = tables_of(document("troubled"), "figures")
    row = row_of(embedded, "transformers")
    assert row["E2E latency"].text == "no result"
    assert row["E2E latency"].value is None
    assert row["TTFT"].tone is Tone.UNKNOWN
    assert "SIGILL" in row["outcome"].text


def test_a_stack_that_ended_early_is_not_called_complete() -> None:
    embedded, _ = tables_of(document("troubled"), "figures")
    outcome = row_of(embedded, "llama.cpp")["outcome"].text
    assert "out of memory" in outcome
    assert "ended after 3 of 10 iterations" in outcome


def test_what_is_not_known_is_a_dash_and_never_zero() -> None:
    for section in document("only failures").sections:
        for block in section.blocks:
            for row in block.rows if isinstance(block, Table) else ():
                unknown = [cell for cell in row if cell.tone is Tone.UNKNOWN]
                assert all(cell.value is None for cell in unknown)


def test_pairs_come_by_each_latency_with_verdict_and_reason() -> None:
    tables = tables_of(document("two"), "pairs")
    assert [table.caption for table in tables] == ["E2E latency", "TTFT", "TPOT"]
    row = row_of(tables[0], "Ollama over llama.cpp")
    assert row["verdict"].text == "Ollama is slower"
    assert row["why"].text == "above the noise floor, and not chance"
    assert row["ratio"].value == pytest.approx(1.05, abs=0.03)


def test_serving_has_its_price_where_an_engine_ran_both_ways() -> None:
    (table,) = tables_of(document("both ways"), "serving")
    assert row_of(table, "llama-server over llama.cpp")["served is"].text == "slower"
    assert not tables_of(document("two"), "serving")


def test_marks_say_what_must_stand_beside_every_figure() -> None:
    assert document("four").marks == ("random weights",)
    assert "run is marked as interrupted" in document("troubled").marks
    assert document("extreme").marks == ("tiny model: says nothing about languages",)


def test_a_load_has_its_levels_and_the_clients_own_error() -> None:
    told = without_figures(document_of([load("four")]))
    keys = [section.key for section in told.sections]
    assert keys == ["figures", "batching", "client", "fairness", "environment", "repeat"]
    (levels,) = tables_of(told, "figures")
    assert len(levels.rows) == 12
    assert "goodput" in [column.title for column in levels.columns]
    (client,) = tables_of(told, "client")
    assert len(client.rows) == 12


def test_a_load_says_what_it_cannot_say() -> None:
    text = " ".join(document_of([load("four")]).answer)
    assert "not in turns" in text
    assert "fastest" not in text
    assert "nothing can be said" in " ".join(document_of([load("nothing started")]).answer)


def test_several_runs_each_have_a_part_and_what_changed_stands_first() -> None:
    first = comparison("two")
    told = document_of([first, renumbered(first, 9)])
    keys = [section.key for section in told.sections]
    assert keys[0] == "change-7-9"
    assert {"run-7", "run-7-pairs", "run-9", "run-9-pairs"} <= set(keys)
    assert len(set(keys)) == len(keys)
    assert told.answer[0] == "Each run stands by itself; nothing is pooled."
    assert "under the same conditions: llama.cpp no difference (1.00" in " ".join(told.answer)


def test_runs_of_two_machines_are_not_judged_by_each_other() -> None:
    first = comparison("two")
    told = document_of([first, renumbered(first, 9, cpu="another", cores=64)])
    assert "different machines" in told.answer[1]
    assert not [table for table in tables_of(told, "change-7-9") if table.caption != "Conditions"]


def test_a_comparison_and_a_load_can_stand_in_one_report() -> None:
    told = document_of([comparison("two"), load("four")])
    assert not [section for section in told.sections if section.key.startswith("change")]
    assert {"run-7", "run-8"} <= {section.key for section in told.sections}


def test_a_report_about_nothing_is_refused() -> None:
    with pytest.raises(UsageError):
        document_of([])

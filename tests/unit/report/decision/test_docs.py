"""docs/team.md shows the criteria as the code has them."""

from pathlib import Path

from python_runner.analyse.decision import CRITERIA
from python_runner.report.decision.contents import criteria_table

PAGE = Path(__file__).parents[4] / "docs" / "team.md"
BEGIN = "<!-- criteria: begin. Made from the code; a test prints what belongs here -->"
END = "<!-- criteria: end -->"


def table() -> str:
    made = criteria_table()
    rows = [
        [column.title for column in made.columns],
        ["---"] * len(made.columns),
        *([cell.text for cell in row] for row in made.rows),
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def test_the_table_of_criteria_is_that_of_the_code() -> None:
    text = PAGE.read_text(encoding="utf-8")
    shown = text.split(BEGIN)[1].split(END)[0].strip()
    assert shown == table(), f"docs/team.md has another table; it should be:\n{table()}"


def test_the_keys_of_a_team_file_are_explained() -> None:
    from python_runner.study.team import Constraints, Operations, People, Serves

    text = PAGE.read_text(encoding="utf-8")
    for kind in (People, Serves, Operations, Constraints):
        for key in kind.model_fields:
            assert f"\n    {key} = " in text, key


def test_every_criterion_says_where_its_data_come_from() -> None:
    assert all(each.source and each.formula and each.value_function for each in CRITERIA)

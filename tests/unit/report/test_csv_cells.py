"""A spreadsheet shows what a model said, and does not compute it."""

import pandas as pd
import pytest

from python_runner.report.csv_cells import inert, inert_table


@pytest.mark.parametrize("text", ["=1+1", "+cmd|' /C calc'!A0", "@SUM(A1)", "-2+3", "\t=1", "-"])
def test_what_could_be_a_formula_gets_an_apostrophe(text: str) -> None:
    assert inert(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "plain", "-1.5", "+3e-4", "a = b", " =1", "-inf"])
def test_other_texts_stay(text: str) -> None:
    assert inert(text) == text


def test_a_table_keeps_its_numbers() -> None:
    table = pd.DataFrame({"=x": ["=1", None], "n": [-1, 2], "m": [-0.5, float("nan")]})
    found = inert_table(table)
    assert found.to_csv(index=False) == "'=x,n,m\n'=1,-1,-0.5\n,2,\n"
    assert list(table.columns) == ["=x", "n", "m"]

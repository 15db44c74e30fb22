"""A kept study as a file again."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from python_runner.study import load_study, study_names, study_toml
from tests.unit.builders import study


@pytest.mark.parametrize("name", study_names())
def test_a_study_read_back_is_the_same_study(name: str, tmp_path: Path) -> None:
    kept = load_study(name)
    path = tmp_path / "again.toml"
    path.write_text(study_toml(json.loads(kept.model_dump_json())), encoding="utf-8")
    assert load_study(str(path)) == kept


def test_ablations_are_tables_of_their_own(tmp_path: Path) -> None:
    ablation = {
        "key": "gogc",
        "question": 'Is it "the collector"?',
        "left": "ollama@gogc=off",
        "right": "ollama",
        "change": "Switching it off",
        "if_equal": "It is not.",
        "if_not": "It is\nin part.",
    }
    kept = study(stacks=("ollama", "ollama@gogc=off"), ablations=[ablation], explains=3)
    path = tmp_path / "again.toml"
    path.write_text(study_toml(json.loads(kept.model_dump_json())), encoding="utf-8")
    assert load_study(str(path)) == kept


def test_strange_texts_and_keys_survive() -> None:
    text = '\x7f \\ " \n é \N{GRINNING FACE}'
    values = {"a b": text, "on": True, "half": 0.5, "many": ["x", "y"]}
    assert tomllib.loads(study_toml(values)) == values

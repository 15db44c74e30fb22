"""What of the mistral.rs stack needs no mistral.rs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from python_runner.engines.build.mistralrs import locked_versions
from python_runner.engines.mistralrs.engine import LOADING, SPEC, end_ids


def test_every_precision_has_a_way_of_loading() -> None:
    assert LOADING.keys() == SPEC.formats.keys()
    assert [word for word, how in LOADING.items() if how.isq] == ["8bit"]


@pytest.mark.parametrize(("written", "expected"), [(1, (1,)), ([1, 107], (1, 107))])
def test_the_generation_settings_name_the_end_of_an_answer(
    tmp_path: Path, written: int | list[int], expected: tuple[int, ...]
) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"eos_token_id": 9}))
    (tmp_path / "generation_config.json").write_text(json.dumps({"eos_token_id": written}))
    assert end_ids(tmp_path) == expected


def test_the_model_s_configuration_names_it_where_they_do_not(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"eos_token_id": 9}))
    (tmp_path / "generation_config.json").write_text("{}")
    assert end_ids(tmp_path) == (9,)


def test_a_model_may_have_no_end(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    assert end_ids(tmp_path) == ()


def test_versions_come_from_the_lock_file() -> None:
    lock = """
        [[package]]
        name = "candle-core"
        version = "0.10.2"

        [[package]]
        name = "mistralrs-core"
        version = "0.8.1"
    """
    assert locked_versions(lock) == {"candle-core": "0.10.2", "mistralrs-core": "0.8.1"}

"""Every engine says what belongs to it, and what it names is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from python_runner.common.locations import source_root
from python_runner.engines import table
from python_runner.engines.contract import Language
from python_runner.engines.table import engine, engine_names
from python_runner.engines.upkeep import UPKEEP, upkeep_of
from python_runner.engines.upkeep.collect import locked_names
from python_runner.engines.upkeep.lines import own_files

NAMES = engine_names(include_hidden=True)


@pytest.mark.parametrize("name", NAMES)
def test_every_row_says_what_belongs_to_it(name: str) -> None:
    assert name in UPKEEP, "say in engines/upkeep/table.py which files, builds and packages it has"


def test_the_table_has_no_other_rows() -> None:
    assert set(UPKEEP) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_its_own_module_is_among_its_files(name: str) -> None:
    module = Path("python_runner/engines", *table._ROWS[name].module.split(".")).with_suffix(".py")
    assert source_root() / module in own_files(source_root(), UPKEEP[name].own)


@pytest.mark.parametrize("name", NAMES)
def test_every_file_that_it_names_is_there(name: str) -> None:
    lost = [pattern for pattern in UPKEEP[name].own if not any(source_root().glob(pattern))]
    assert not lost


@pytest.mark.parametrize("name", NAMES)
def test_it_is_built_or_brought_or_python_or_both(name: str) -> None:
    declared = UPKEEP[name]
    assert declared.builds or declared.brought or declared.needs_python
    assert table.is_brought(name) == (declared.brought is not None)
    assert bool(declared.packages) <= declared.needs_python


@pytest.mark.parametrize("name", NAMES)
def test_only_programs_in_go_list_modules(name: str) -> None:
    is_go = engine(name).spec.language is Language.GO and not name.startswith("mock")
    assert UPKEEP[name].is_go == is_go


@pytest.mark.parametrize("name", NAMES)
def test_what_is_compiled_in_is_locked(name: str) -> None:
    assert set(UPKEEP[name].compiled_in) <= locked_names(source_root())


def test_a_variant_is_its_base() -> None:
    assert upkeep_of("ollama@gogc=off") is UPKEEP["ollama"]
    assert upkeep_of("a plug-in") is None

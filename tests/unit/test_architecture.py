"""The way of the data: a stage imports only stages to its left."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import python_runner

PACKAGE = Path(python_runner.__file__).parent
STAGES = ["study", "models", "engines", "measure", "store", "analyse", "report"]
ABOVE = ["run", "notebook", "cli"]
LAYERS = ["common", *STAGES, *ABOVE]
FILES = sorted(PACKAGE.rglob("*.py"))
SHARED_BY_ENGINES = {"worker", "served"}
MOST_LINES_OF_A_FILE = 320
MOST_LINES_OF_A_FUNCTION = 60


def layer_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_layers(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            parts = node.module.split(".")
        elif isinstance(node, ast.Import):
            parts = node.names[0].name.split(".")
        else:
            continue
        if parts[0] == "python_runner" and len(parts) > 1:
            yield parts[1]


def imported_families(path: Path) -> Iterator[str]:
    """Folders of `engines` that this file imports from."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            parts = node.module.split(".")
            if parts[:2] == ["python_runner", "engines"] and len(parts) > 2:
                yield parts[2]


def test_every_folder_is_a_layer() -> None:
    folders = {path.name for path in PACKAGE.iterdir() if path.is_dir()} - {"__pycache__"}
    assert folders == set(LAYERS)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_to_the_left(path: Path) -> None:
    layer = layer_of(path)
    if layer == "__init__":
        return
    allowed = LAYERS[: LAYERS.index(layer) + 1]
    assert set(imported_layers(path)) <= set(allowed)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_files_and_functions_stay_readable(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MOST_LINES_OF_A_FILE
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            assert node.end_lineno - node.lineno < MOST_LINES_OF_A_FUNCTION, node.name


def test_analysis_neither_reads_nor_prints() -> None:
    for path in (PACKAGE / "analyse").rglob("*.py"):
        calls = {
            node.func.id
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        assert not calls & {"open", "print"}, path


def test_what_engines_share_knows_none_of_them() -> None:
    engines = PACKAGE / "engines"
    families = {path.parent.name for path in engines.glob("*/*.py")} - SHARED_BY_ENGINES
    for path in (file for folder in SHARED_BY_ENGINES for file in (engines / folder).rglob("*.py")):
        assert not set(imported_families(path)) & families, path

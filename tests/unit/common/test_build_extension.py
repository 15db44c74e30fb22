"""What decides whether an extension is built anew, and how it is imported."""

import sys
import zipfile
from pathlib import Path

import pytest

from python_runner.common.build import extension
from python_runner.common.build.extension import extension_recipe, import_extension
from python_runner.common.build.toolchain import Compilers
from python_runner.common.errors import BuildFailedError, ToolMissingError

CPP = """
[build-system]
requires = ["pytest>=8"]
build-backend = "scikit_build_core.build"
"""
RUST = """
[build-system]
requires = ["pytest>=8,<100"]
build-backend = "maturin"
"""


@pytest.fixture(autouse=True)
def compilers(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Compilers(c="/usr/bin/cc", cxx="/usr/bin/c++", version="c++ 12.2")
    monkeypatch.setattr(extension, "c_compilers", lambda purpose: found)
    monkeypatch.setattr(extension, "rust_version", lambda purpose: "rustc 1.95")


def project(folder: Path, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "pyproject.toml").write_text(text)
    return folder


def test_a_recipe_names_all_that_goes_in(tmp_path: Path) -> None:
    recipe = extension_recipe(project(tmp_path, CPP), purpose="it", extra={"flags": "-O3"})

    assert recipe["compiler"] == "c++ 12.2"
    assert recipe["build_packages"] == {"pytest": pytest.__version__}
    assert recipe["extra"] == {"flags": "-O3"}
    assert str(recipe["python"]).startswith(sys.implementation.name)


def test_a_crate_is_compiled_by_rust(tmp_path: Path) -> None:
    recipe = extension_recipe(project(tmp_path, RUST), purpose="it", extra={})

    assert recipe["compiler"] == "rustc 1.95"


def test_a_changed_source_is_another_recipe(tmp_path: Path) -> None:
    source = project(tmp_path, CPP)
    before = extension_recipe(source, purpose="it", extra={})
    (source / "a.cpp").write_text("int a;")

    assert extension_recipe(source, purpose="it", extra={}) != before


def test_a_missing_build_package_says_what_to_do(tmp_path: Path) -> None:
    source = project(tmp_path, CPP.replace("pytest", "no-such-package"))

    with pytest.raises(ToolMissingError, match="no-such-package") as caught:
        extension_recipe(source, purpose="it", extra={})
    assert "just setup" in caught.value.hint


def test_a_module_is_imported_from_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "polystack_paper", raising=False)
    (tmp_path / "polystack_paper.py").write_text("answer = 42\n")

    module = import_extension(tmp_path, "polystack_paper")
    again = import_extension(tmp_path, "polystack_paper")

    assert module.answer == 42
    assert again is module
    assert sys.path.count(str(tmp_path)) == 1


def test_a_wheel_is_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "thing-1-py3-none-any.whl", "w") as wheel:
        wheel.writestr("thing.so", "code")

    extension._unpack_wheel(tmp_path, tmp_path / "out")

    assert (tmp_path / "out" / "thing.so").read_text() == "code"


def test_no_wheel_is_a_failed_build(tmp_path: Path) -> None:
    with pytest.raises(BuildFailedError, match="0 wheels"):
        extension._unpack_wheel(tmp_path, tmp_path / "out")

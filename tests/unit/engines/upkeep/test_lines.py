"""Lines of code are those that are neither blank nor only comment."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from python_runner.engines.upkeep.lines import code_lines, lines_of, own_files

PYTHON = '''"""What it is.

At length.
"""

import os  # for the time


def one() -> str:
    """Say one."""
    # not two
    return """a
    text"""
'''
CPP = """// What it is.
#include <vector>
/* at
   length */
#ifdef NDEBUG
int one() { return 1; } // not two
#endif

"""
RUST = """//! What it is.
/// Says one.
fn one() -> u32 {
    // not two
    1 /* one */
}
"""
GO = """// Package one says one.
package one

/*
At length.
*/
func one() int { return 1 }
"""


@pytest.mark.parametrize(
    ("name", "text", "lines"),
    [
        ("a.py", PYTHON, 4),
        ("a.cpp", CPP, 4),
        ("a.hpp", CPP, 4),
        ("a.rs", RUST, 3),
        ("a.go", GO, 2),
        ("Cargo.toml", "# what it is\n[package]\nname = 'a' # one\n\n", 2),
        ("CMakeLists.txt", "# what it is\nproject(one)\n\n", 1),
        ("a.unheard-of", "one\n\ntwo\n", 2),
        ("a.py", "", 0),
    ],
)
def test_code_is_counted(name: str, text: str, lines: int) -> None:
    assert code_lines(text, name) == lines


@given(st.lists(st.sampled_from(["x = 1", "", "# remark", "    ", "y = (2)"])))
def test_only_code_counts_wherever_it_stands(lines: list[str]) -> None:
    code = [line for line in lines if line.strip() and not line.startswith("#")]
    assert code_lines("\n".join(lines), "a.py") == len(code)


def test_files_are_counted_once_and_tests_not_at_all(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    for name in ("a.go", "b.go", "a_test.go"):
        (tmp_path / "src" / name).write_text("package a\n")
    files = own_files(tmp_path, ("src/*.go", "src/a.go", "absent/*"))
    assert [path.name for path in files] == ["a.go", "b.go"]
    assert lines_of(files) == 2

"""Crates of a Cargo.lock or of cargo's word, modules of a Go program."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from python_runner.engines.upkeep import crates, modules
from python_runner.engines.upkeep.crates import compiled_crates, crates_of, locked_crates
from python_runner.engines.upkeep.modules import linked_modules, modules_of

REGISTRY = 'source = "registry+somewhere"\n'
LOCK = f"""
version = 4
[[package]]
name = "ours"
version = "0.1.0"
dependencies = ["shared 2.0.0", "beside", "plain"]
[[package]]
name = "beside"
version = "0.1.0"
dependencies = ["plain"]
[[package]]
name = "other-binding"
version = "0.1.0"
dependencies = ["lonely"]
[[package]]
name = "shared"
version = "1.0.0"
{REGISTRY}
[[package]]
name = "shared"
version = "2.0.0"
{REGISTRY}dependencies = ["shared 1.0.0 (registry+somewhere)"]
[[package]]
name = "plain"
version = "1.0.0"
{REGISTRY}
[[package]]
name = "lonely"
version = "1.0.0"
{REGISTRY}
"""
PRINTED = """/cache/bin/driver: go1.26.8
\tpath\tpolystack/native/go/driver
\tmod\tpolystack/native/go\t(devel)\t
\tdep\tgithub.com/ollama/ollama\tv0.17.4\th1:abc=
\tdep\tgolang.org/x/sys\tv0.37.0\th1:def=
\tbuild\t-trimpath=true
"""


def test_crates_are_followed_from_ours_and_ours_are_left_out() -> None:
    assert locked_crates(LOCK, "ours") == {"shared 1.0.0", "shared 2.0.0", "plain 1.0.0"}


def test_a_crate_that_is_not_there_is_said_so() -> None:
    with pytest.raises(ValueError, match="no crate absent"):
        locked_crates(LOCK, "absent")


@given(
    st.lists(
        st.tuples(st.integers(0, 7), st.integers(0, 7)).filter(lambda edge: edge[0] < edge[1]),
        max_size=20,
    )
)
def test_more_dependencies_never_mean_fewer_crates(edges: list[tuple[int, int]]) -> None:
    def lock(chosen: list[tuple[int, int]]) -> str:
        parts = []
        for number in range(8):
            needs = [f"c{end}" for begin, end in chosen if begin == number]
            source = "" if number == 0 else REGISTRY
            parts.append(
                f'[[package]]\nname = "c{number}"\nversion = "1"\n{source}dependencies = {needs}\n'
            )
        return "".join(parts)

    some, every = (locked_crates(lock(chosen), "c0") for chosen in (edges[:-1], edges))
    assert some <= every
    assert "c0 1" not in every


def depends(pkg: str, *kinds: str | None) -> dict[str, object]:
    return {"pkg": pkg, "dep_kinds": [{"kind": kind, "target": None} for kind in kinds]}


def test_cargo_says_what_is_compiled() -> None:
    said = {
        "packages": [{"id": "ours#0", "name": "ours"}, {"id": "a#1", "name": "a"}],
        "workspace_members": ["ours#0"],
        "resolve": {
            "nodes": [
                {
                    "id": "ours#0",
                    "deps": [depends("a#1", None), depends("t#1", "dev"), depends("b#1", "build")],
                },
                {"id": "a#1", "deps": [depends("c#1", "dev", None)]},
                {"id": "b#1", "deps": []},
                {"id": "c#1", "deps": []},
                {"id": "t#1", "deps": []},
            ]
        },
    }
    assert compiled_crates(said, "ours") == {"a#1", "b#1", "c#1"}
    with pytest.raises(ValueError, match="no crate absent"):
        compiled_crates(said, "absent")


def test_without_cargo_the_lock_file_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crates, "_printed", lambda *_: "")
    (tmp_path / "Cargo.lock").write_text(LOCK)
    count, source = crates_of(tmp_path, "ours")
    assert count == 3
    assert "all platforms" in source


def test_modules_are_those_that_the_program_lists() -> None:
    assert linked_modules(PRINTED) == {"github.com/ollama/ollama", "golang.org/x/sys"}


def test_a_program_that_cannot_be_read_has_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(modules, "_version_list", lambda _: "")
    with pytest.raises(ValueError, match="Go is not there"):
        modules_of([Path("driver")])

"""What is installed and compiled is locked, with hashes, and from no place of its own."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.audit import locks

ROOT = Path(__file__).parents[2]
NATIVE = ROOT / "native"
_CRATES = "registry+https://github.com/rust-lang/crates.io-index"
_PIN = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)(\[[^]]*\])?==([^\s;]+)( ;.*)?")
_HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def pins(path: Path) -> dict[str, int]:
    """Names of what the file locks, and how many hashes each has. Fails on any other line."""
    whole = path.read_text(encoding="utf-8").replace("\\\n", " ")
    found: dict[str, int] = {}
    for line in whole.splitlines():
        text = line.partition("#")[0].strip()
        if not text:
            continue
        hashes = _HASH.findall(text)
        pin = _PIN.fullmatch(_HASH.sub("", text).strip())
        assert pin is not None, f"{path.name}: {text}"
        found[canonicalize_name(pin[1])] = len(hashes)
    return found


@pytest.mark.parametrize("path", locks(), ids=lambda path: path.name)
def test_every_python_package_is_pinned_with_hashes(path: Path) -> None:
    found = pins(path)
    assert found
    assert [name for name, hashes in found.items() if not hashes] == []
    assert "://" not in path.read_text(encoding="utf-8")


def test_the_lock_has_all_that_the_project_names() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = project["dependency-groups"].values()
    wanted = [*project["project"]["dependencies"], *(each for group in groups for each in group)]
    locked = pins(ROOT / "requirements" / "polystack.txt")
    names = {canonicalize_name(Requirement(each).name) for each in wanted}
    assert names - set(locked) == set()


def test_every_crate_has_a_checksum_and_comes_from_one_place() -> None:
    lock = tomllib.loads((NATIVE / "rust" / "Cargo.lock").read_text(encoding="utf-8"))
    workspace = tomllib.loads((NATIVE / "rust" / "Cargo.toml").read_text(encoding="utf-8"))
    assert "patch" not in workspace
    ours = {each["name"] for each in lock["package"] if "source" not in each}
    assert all(name.startswith("polystack-") for name in ours), ours
    assert len(ours) == len(workspace["workspace"]["members"])
    for each in lock["package"]:
        if each["name"] not in ours:
            assert each["source"] == _CRATES, each["name"]
            assert re.fullmatch(r"[0-9a-f]{64}", each["checksum"]), each["name"]


def test_every_module_of_go_has_its_hashes() -> None:
    text = (NATIVE / "go" / "go.mod").read_text(encoding="utf-8")
    assert not re.search(r"^\s*replace\b", text, re.MULTILINE)
    wanted = re.findall(r"^\s*(\S+\.\S+) (v\S+)(?: // indirect)?$", text, re.MULTILINE)
    assert len(wanted) > 20
    lines = (NATIVE / "go" / "go.sum").read_text(encoding="utf-8").splitlines()
    sums = {tuple(line.split()[:2]) for line in lines}
    assert all(re.fullmatch(r"\S+ \S+ h1:[A-Za-z0-9+/]{43}=", line) for line in lines)
    missing = [
        (name, version) for name, version in wanted if (name, f"{version}/go.mod") not in sums
    ]
    assert missing == []


def test_what_compiles_goes_by_the_locks() -> None:
    """Every `cargo` of ours is told so; pip and uv ask for hashes; Go may not change its files."""
    for project in NATIVE.glob("rust/*/pyproject.toml"):
        maturin = tomllib.loads(project.read_text(encoding="utf-8"))["tool"]["maturin"]
        assert maturin["locked"] is True, project
    python = [path.read_text(encoding="utf-8") for path in (ROOT / "python_runner").rglob("*.py")]
    recipes = (ROOT / "justfile").read_text(encoding="utf-8")
    for text in python:
        for command in re.findall(r'"cargo", "(?:build|run|install)"[^)]*\)', text):
            assert "--locked" in command
        for command in re.findall(r'"pip", "(?:download|install)"[^\]]*\]', text):
            assert "--require-hashes" in command
        for command in re.findall(r'"build", "-v", "-[^)\]]*[)\]]', text):
            assert "-mod=readonly" in command
    for line in recipes.replace("\\\n", " ").splitlines():
        for command in line.split("&&"):
            if re.search(r"\bcargo (clippy|test|build|run)\b", command):
                assert "--locked" in command, command
            if "uv pip sync" in command:
                assert "--require-hashes" in command, command

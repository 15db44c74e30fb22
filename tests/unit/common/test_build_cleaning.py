"""What of the cache may go, and what it gives back."""

import fcntl
from pathlib import Path

import pytest

from python_runner.common.build.cache import RECIPE, builds_dir, is_built
from python_runner.common.build.cleaning import Removal, Scope, bytes_freed, removals, remove
from python_runner.common.locations import CACHE_VARIABLE, cache_dir

KB = 1 << 10


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))


def build(name: str, *, finished: bool = True, size: int = 64 * KB) -> Path:
    folder = builds_dir() / name
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "program").write_bytes(b"x" * size)
    if finished:
        (folder / RECIPE).write_text("{}")
    return folder


def names(found: tuple[Removal, ...]) -> set[str]:
    return {removal.path.name for removal in found}


def test_an_older_build_goes_when_its_successor_is_there() -> None:
    used = build("llama-cpp-new")
    build("llama-cpp-old")
    build("ollama-old")

    assert names(removals([used, builds_dir() / "ollama-new"], Scope())) == {"llama-cpp-old"}


def test_a_build_of_a_kind_that_nobody_asks_about_is_kept() -> None:
    build("another-engine-1")

    assert removals([], Scope()) == ()


def test_names_that_begin_alike_are_different_kinds() -> None:
    used = build("llama-cpp-new")
    build("llama-cpp-source-old")

    assert removals([used], Scope()) == ()


def test_what_was_never_finished_goes() -> None:
    build("llama-cpp-half", finished=False)

    assert names(removals([], Scope())) == {"llama-cpp-half"}


def test_more_goes_on_request_only() -> None:
    used = build("llama-cpp-new")
    for name in ("cargo-target", "models", "ollama-models", "logs"):
        (cache_dir() / name).mkdir()

    assert removals([used], Scope()) == ()
    assert names(removals([used], Scope(all_builds=True))) == {"llama-cpp-new"}
    assert names(removals([used], Scope(cargo_target=True))) == {"cargo-target"}
    assert names(removals([used], Scope(models=True))) == {"models", "ollama-models"}


def test_without_a_cache_there_is_nothing_to_remove() -> None:
    assert removals([], Scope(all_builds=True, cargo_target=True, models=True)) == ()


def test_what_is_removed_is_gone_and_its_bytes_were_told_before() -> None:
    folder = build("llama-cpp-old", size=300 * KB)
    told = bytes_freed([folder])

    assert remove(Removal(path=folder, reason="a test"))
    assert not folder.exists()
    assert told >= 300 * KB


def test_a_build_that_is_under_way_is_left_alone() -> None:
    folder = build("llama-cpp-half", finished=False)
    with (builds_dir() / ".llama-cpp-half.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        assert removals([], Scope()) == ()
        assert not remove(Removal(path=folder, reason="a test"))
    assert folder.exists()
    assert not is_built(folder)
    assert remove(Removal(path=folder, reason="a test"))


def test_a_file_counts_once_and_only_if_all_its_links_go() -> None:
    one, other = build("a-1", size=300 * KB), build("b-1", size=KB)
    (other / "bin" / "linked").hardlink_to(one / "bin" / "program")

    assert bytes_freed([one]) < 300 * KB
    assert 300 * KB <= bytes_freed([one, other]) < 400 * KB

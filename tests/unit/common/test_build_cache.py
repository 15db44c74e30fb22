"""A build is made once, found again, and never found half made."""

import threading
from pathlib import Path

import pytest

from python_runner.common.build.cache import (
    build_once,
    builds_dir,
    fresh_log,
    hash_tree,
    is_built,
    location,
    recipe_of,
    scratch_dir,
)
from python_runner.common.build.cargo import cargo_target
from python_runner.common.locations import CACHE_VARIABLE
from python_runner.common.progress import SilentProgress

QUIET = SilentProgress()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


class Builder:
    """Counts how often it was asked."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, folder: Path) -> None:
        self.calls += 1
        (folder / "program").write_text("made")


def test_a_second_call_builds_nothing() -> None:
    builder = Builder()

    first = build_once("thing", {"flags": "-O3"}, builder, QUIET)
    second = build_once("thing", {"flags": "-O3"}, builder, QUIET)

    assert first == second == location("thing", {"flags": "-O3"})
    assert builder.calls == 1
    assert (first / "program").read_text() == "made"
    assert recipe_of(first) == {"flags": "-O3"}


def test_another_recipe_is_another_folder() -> None:
    builder = Builder()

    folders = {build_once("thing", {"flags": flags}, builder, QUIET) for flags in ("-O2", "-O3")}

    assert len(folders) == 2
    assert builder.calls == 2


def test_the_order_of_a_recipe_does_not_matter() -> None:
    assert location("thing", {"a": 1, "b": 2}) == location("thing", {"b": 2, "a": 1})


def test_a_build_that_fails_leaves_nothing() -> None:
    def broken(folder: Path) -> None:
        (folder / "half").write_text("")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_once("thing", {}, broken, QUIET)

    assert not location("thing", {}).exists()
    assert is_built(build_once("thing", {}, Builder(), QUIET))


def test_what_a_killed_build_left_is_built_anew() -> None:
    folder = location("thing", {})
    folder.mkdir(parents=True)
    (folder / "half").write_text("")

    build_once("thing", {}, Builder(), QUIET)

    assert not (folder / "half").exists()
    assert (folder / "program").exists()


def test_two_that_want_the_same_build_wait_for_each_other() -> None:
    both = threading.Barrier(2)
    builder = Builder()

    def want() -> None:
        both.wait(timeout=10)
        build_once("thing", {}, builder, QUIET)

    threads = [threading.Thread(target=want) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=10)

    assert builder.calls == 1


def test_a_hash_of_a_tree_sees_names_and_contents(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "src").mkdir(parents=True)
    (tree / "src" / "a.cpp").write_text("int a;")
    first = hash_tree(tree)

    (tree / "src" / "a.cpp").write_text("int b;")
    changed = hash_tree(tree)
    (tree / "src" / "a.cpp").rename(tree / "src" / "b.cpp")
    renamed = hash_tree(tree)

    assert len({first, changed, renamed}) == 3


def test_a_hash_of_a_tree_leaves_out_what_tools_put_there(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "a.cpp").write_text("int a;")
    first = hash_tree(tree)

    for name in ("target", "build", "__pycache__"):
        (tree / name).mkdir()
        (tree / name / "junk").write_text("junk")

    assert hash_tree(tree) == first


def test_a_hash_of_a_tree_can_be_of_some_files(tmp_path: Path) -> None:
    (tmp_path / "go.mod").write_text("module a")
    first = hash_tree(tmp_path, ("go.*",))
    (tmp_path / "README.md").write_text("words")

    assert hash_tree(tmp_path, ("go.*",)) == first


def test_everything_lies_in_the_cache(cache: Path) -> None:
    assert builds_dir().is_relative_to(cache)
    assert scratch_dir().is_dir()
    assert scratch_dir().is_relative_to(cache)


def test_a_log_holds_the_last_try_only() -> None:
    log = fresh_log("thing")
    log.parent.mkdir(parents=True)
    log.write_text("an earlier try")

    assert not fresh_log("thing").exists()


def test_nobody_else_makes_a_product_until_it_is_taken_away() -> None:
    """Two checkouts with two versions of one crate: each keeps what it made itself."""
    kept: dict[str, str] = {}
    may_take = threading.Event()

    def checkout(version: str) -> None:
        with cargo_target("client") as target:
            target.mkdir(parents=True, exist_ok=True)
            (target / "client").write_text(version)
            may_take.wait(timeout=10)
            kept[version] = (target / "client").read_text()

    threads = [threading.Thread(target=checkout, args=(version,)) for version in ("one", "two")]
    for thread in threads:
        thread.start()
    may_take.set()
    for thread in threads:
        thread.join()
    assert kept == {"one": "one", "two": "two"}


def test_builds_of_different_products_do_not_wait() -> None:
    with cargo_target("client") as first, cargo_target("server") as second:
        assert first == second

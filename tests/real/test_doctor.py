"""`polystack doctor` and `clean-cache` on this machine: what they say; nothing is built."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import pytest

from python_runner.common.build.cache import builds_dir
from python_runner.common.progress import SilentProgress
from python_runner.engines.table import DEFAULT_STACKS, engine
from tests.contract.processes import no_process_left
from tests.real.command import Marked, path_with


@pytest.fixture(scope="module", autouse=True)
def everything_is_built() -> None:
    for name in DEFAULT_STACKS:
        engine(name).prepare(SilentProgress())


def builds() -> set[str]:
    return {path.name for path in builds_dir().iterdir()}


def test_where_everything_is_built_all_stacks_can_run(tmp_path: Path) -> None:
    before = builds()
    with no_process_left():
        code, printed = Marked(tmp_path).run("doctor")

    assert "All stacks of the default study can run" in printed
    assert code == 0
    lines = [line.split() for line in printed.splitlines()]
    for name in DEFAULT_STACKS:
        assert ["ready", name] in lines
    assert builds() == before
    assert not list(tmp_path.iterdir())


def test_a_machine_without_go_and_cargo_is_told_what_to_install(tmp_path: Path) -> None:
    path = path_with(tmp_path / "bin", "cc", "c++")
    code, printed = Marked(tmp_path, {"PATH": path}).run("doctor")

    assert code == 3, printed
    assert "go was not found; Ollama, the Go stack, needs it" in printed
    assert "apt install golang-go" in printed
    assert "cargo was not found" in printed
    assert "apt install rustup" in printed
    assert "In the way: ollama" in printed


def test_a_tool_that_does_not_start_is_a_finding_like_any_other(tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    path = path_with(tools, "cc", "c++", "cargo", "rustc")
    torn = tools / "go"
    torn.write_text("#!/nowhere/interpreter\n", encoding="utf-8")
    torn.chmod(0o755)
    code, printed = Marked(tmp_path, {"PATH": path}).run("doctor")

    assert code == 3, printed
    assert "cannot be run: No such file or directory" in printed
    assert "repair its installation" in printed


def test_an_empty_cache_is_told_as_work_to_be_done(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    code, printed = Marked(tmp_path, {"POLYSTACK_CACHE": str(cache)}).run("doctor")

    assert code == 0, printed
    assert "building Ollama" in printed
    assert "building polystack-stream" in printed
    assert "polystack build --stacks llama.cpp" in printed
    assert not (cache / "builds").exists()


def test_of_the_builds_in_use_none_is_cleaned_away(tmp_path: Path) -> None:
    code, printed = Marked(tmp_path).run("clean-cache")

    # Without a terminal it says what it would remove, and stops there.
    assert code in {0, 2}
    for name in DEFAULT_STACKS:
        engine(name).prepare(_NothingToDo())
    assert "replaced by a newer build" in printed or "Nothing in it is out of use" in printed


class _NothingToDo(SilentProgress):
    """Fails when anything would be built."""

    def task(self, title: str, *, why: str = "", expected_s: float | None = None) -> NoReturn:
        pytest.fail(f"{title}: it was there before")

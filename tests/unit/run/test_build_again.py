"""A cache for building again has everything but what is to be built, and nothing kept."""

from pathlib import Path

import pytest

from python_runner.common.locations import CACHE_VARIABLE
from python_runner.run.build_again import lay_out


def test_all_builds_are_there_but_those_that_are_timed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, empty = tmp_path / "ours", tmp_path / "empty"
    monkeypatch.setenv(CACHE_VARIABLE, str(ours))
    for name in ("builds/llama-cpp-1", "builds/source-2", "cargo-target", "models", "cpu"):
        (ours / name).mkdir(parents=True)
    (ours / "builds" / ".llama-cpp-1.lock").write_text("")
    empty.mkdir()

    lay_out(empty, [ours / "builds" / "llama-cpp-1"])

    assert {path.name for path in empty.iterdir()} == {"builds", "cpu"}
    assert [path.name for path in (empty / "builds").iterdir()] == ["source-2"]
    assert (empty / "builds" / "source-2").resolve() == ours / "builds" / "source-2"

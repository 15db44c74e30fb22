"""Our binding to mistral.rs: what the contract suite does not ask of it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from python_runner.common.build.extension import import_extension
from python_runner.common.locations import source_root
from python_runner.common.progress import SilentProgress
from python_runner.engines.build.mistralrs import mistralrs_build
from python_runner.models import prepare_model

if TYPE_CHECKING:
    import polystack_mistralrs


@pytest.fixture(scope="module")
def folder() -> Path:
    return mistralrs_build(SilentProgress()).folder


@pytest.fixture(scope="module")
def binding(folder: Path) -> ModuleType:
    return import_extension(folder, "polystack_mistralrs")


@pytest.fixture(scope="module")
def tiny(binding: ModuleType) -> polystack_mistralrs.Model:
    model = prepare_model("gemma-2-tiny", (), SilentProgress())
    loaded: polystack_mistralrs.Model = binding.Model(str(model.folder), dtype="f32")
    return loaded


def test_looking_at_the_tokens_changes_nothing(tiny: polystack_mistralrs.Model) -> None:
    ids = tiny.tokenize("the ")
    first, again = (tiny.generate(ids, new_tokens=8, stop_ids=[]) for _ in range(2))
    assert first.ids == again.ids
    assert len(first.ids) == len(first.token_ns) == 8
    assert first.requested_ns < first.token_ns[0] < first.token_ns[-1] < first.ended_ns
    requested, ended = tiny.generate_unwatched(ids, new_tokens=8)
    assert requested < ended


def test_an_impossible_stop_token_is_told(tiny: polystack_mistralrs.Model) -> None:
    """mistral.rs refuses one that other tokens begin with, as a space."""
    with pytest.raises(RuntimeError, match="stop token"):
        tiny.generate(tiny.tokenize("the "), new_tokens=4, stop_ids=[tiny.tokenize(" ")[-1]])


def test_a_folder_without_a_model_is_told(binding: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(binding.MistralRsError):
        binding.Model(str(tmp_path), dtype="f32")


def test_an_unknown_type_of_weights_is_told(binding: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="f12"):
        binding.Model(str(tmp_path), dtype="f12")
    with pytest.raises(ValueError, match="q9_0"):
        binding.Model(str(tmp_path), dtype="f32", isq="q9_0")


def test_what_is_not_quantised_is_told(binding: ModuleType) -> None:
    folder = str(prepare_model("gemma-2-tiny", (), SilentProgress()).folder)
    assert binding.Model(folder, dtype="f32", isq="q8_0").dtype == "f32"
    assert binding.Model(folder, dtype="auto").dtype == "f16"


def test_other_python_threads_run_meanwhile(tiny: polystack_mistralrs.Model) -> None:
    done = threading.Event()
    turns = 0

    def count() -> None:
        nonlocal turns
        while not done.wait(0.0001):
            turns += 1

    thread = threading.Thread(target=count)
    thread.start()
    tiny.generate(tiny.tokenize("the "), new_tokens=64, stop_ids=[])
    done.set()
    thread.join()
    assert turns > 10


def test_the_stub_is_what_the_module_is(folder: Path) -> None:
    crate = source_root() / "native" / "rust" / "mistralrs-binding"
    checked = subprocess.run(
        [
            *(sys.executable, "-m", "mypy.stubtest", "polystack_mistralrs"),
            *("--allowlist", crate / "stubtest-allowlist.txt"),
        ],
        env={**os.environ, "PYTHONPATH": str(folder), "MYPYPATH": str(crate)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout

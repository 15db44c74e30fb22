"""What is broken is named, costs nobody else his run, and shows in the exit code."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from python_runner.common.errors import ModelError
from python_runner.common.locations import cache_dir
from python_runner.common.progress import SilentProgress
from python_runner.engines.contract import Engine, Language, Reach
from python_runner.engines.mock import mock_spec
from python_runner.engines.table import engine
from python_runner.engines.worker.embedded import EmbeddedEngine
from python_runner.models import cards, prepare_model
from python_runner.run import endpoints
from python_runner.run.compare import compare
from python_runner.store import Store, read_frames
from tests.contract.processes import no_process_left
from tests.real.command import Marked, path_with
from tests.unit.builders import study

STACKS = "llama.cpp,ollama,transformers"
BRIEFLY = ("--iterations", "1", "--warmup", "0", "--threads", "1", "--no-answers")


@pytest.fixture(scope="module", autouse=True)
def everything_is_built() -> None:
    for name in STACKS.split(","):
        engine(name).prepare(SilentProgress())


def compare_briefly(marked: Marked, stacks: str = STACKS) -> tuple[int, str]:
    with no_process_left():
        code, printed = marked.run("compare", "demo", "--stacks", stacks, *BRIEFLY)
    assert not marked.processes()
    return code, printed


def test_without_go_the_others_run(tmp_path: Path) -> None:
    path = path_with(tmp_path / "bin", "cc", "c++")
    code, printed = compare_briefly(Marked(tmp_path, {"PATH": path}))

    assert code == 3
    assert "ollama gave no full set of samples: go was not found" in printed
    with Store(tmp_path / "results" / "polystack.sqlite") as store:
        frames = read_frames(store)
    answered = frames.samples[frames.samples["error"] == ""]
    assert set(answered["stack"]) == {"llama.cpp", "transformers"}
    assert set(frames.conditions["stack"]) == set(STACKS.split(","))


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A cache of its own with the builds of the shared one, and a copy of the tiny GGUF."""
    gguf = prepare_model("gemma-2-tiny", {"bf16"}, SilentProgress()).gguf["bf16"]
    folder = tmp_path / "cache"
    (folder / "models" / "gguf").mkdir(parents=True)
    for name in ("builds", "cpu"):
        (folder / name).symlink_to(cache_dir() / name)
    for file in (gguf, gguf.with_suffix(".json")):
        shutil.copy(file, folder / "models" / "gguf")
    return folder


def the_gguf(cache: Path) -> Path:
    (found,) = (cache / "models" / "gguf").glob("*.gguf")
    return found


def test_a_truncated_gguf_is_refused_with_its_size(cache: Path, tmp_path: Path) -> None:
    whole = the_gguf(cache).read_bytes()
    the_gguf(cache).write_bytes(whole[: len(whole) // 2])
    code, printed = compare_briefly(Marked(tmp_path, {"POLYSTACK_CACHE": str(cache)}))

    assert code == ModelError.exit_code
    assert f"is damaged: {len(whole) // 2:,} bytes instead of {len(whole):,}" in printed
    assert "Remove that file" in printed


def test_a_gguf_of_noise_costs_only_those_who_read_it(cache: Path, tmp_path: Path) -> None:
    size = the_gguf(cache).stat().st_size
    the_gguf(cache).write_bytes(b"noise" * (size // 5) + b"." * (size % 5))
    code, printed = compare_briefly(Marked(tmp_path, {"POLYSTACK_CACHE": str(cache)}))

    assert code == 5
    for stack in ("llama.cpp", "ollama"):
        assert f"{stack} gave no full set of samples" in printed
    assert "transformers gave no full set" not in printed


@pytest.fixture
def model_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of `models/`, in use instead of it."""
    folder = tmp_path / "models"
    shutil.copytree(cards.models_dir(), folder)
    monkeypatch.setattr(cards, "models_dir", lambda: folder)
    monkeypatch.setenv("POLYSTACK_CACHE", str(tmp_path / "cache"))
    return folder / "gemma-2-tiny"


def halve(weights: Path) -> None:
    weights.write_bytes(weights.read_bytes()[: weights.stat().st_size // 2])


def change_a_byte(weights: Path) -> None:
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)


@pytest.mark.parametrize("damage", [halve, change_a_byte, Path.unlink])
def test_safetensors_that_are_not_the_manifests_are_refused(
    model_folder: Path, damage: Callable[[Path], None]
) -> None:
    damage(model_folder / "model.safetensors")
    with pytest.raises(ModelError, match="not those of the manifest"):
        prepare_model("gemma-2-tiny", (), SilentProgress())


@pytest.mark.parametrize("loader", ["load_and_die", "load_and_die_when_asked"])
def test_a_worker_that_dies_of_sigill_is_a_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loader: str
) -> None:
    def engine_or_dying(name: str) -> Engine:
        if name != "dying":
            return engine(name)
        return EmbeddedEngine(
            spec=mock_spec("dying", Language.CPP, Reach.EMBEDDED),
            prepare=lambda progress: None,
            loader=f"tests.contract.paper_models:{loader}",
        )

    monkeypatch.setattr(endpoints, "engine", engine_or_dying)
    chosen = study(stacks=("dying", "mock-go"), iterations=2, warmup=0)
    with Store(tmp_path / "polystack.sqlite") as store, no_process_left():
        outcome = compare(chosen, store, logs=tmp_path, progress=SilentProgress())
        frames = read_frames(store)

    assert "SIGILL" in outcome.broken["dying"]
    assert "instructions that this CPU does not run" in outcome.broken["dying"]
    assert outcome.broken.keys() == {"dying"}
    assert sum(frames.samples["stack"] == "mock-go") == 2

"""Real engines on the tiny model, in blocks: what is stored, said, and compared later."""

from pathlib import Path

import pytest

from python_runner.common.progress import SilentProgress
from python_runner.engines.table import engine
from python_runner.store import Frames, Store, read_frames
from tests.real.command import Marked

STACKS = ("llama.cpp", "ollama")
COMPARE = (
    *("compare", "demo", "--stacks", ",".join(STACKS), "--threads", "1"),
    *("--iterations", "6", "--blocks", "3", "--warmup", "1", "--new-tokens", "8"),
)


@pytest.fixture(scope="module", autouse=True)
def everything_is_built() -> None:
    for name in STACKS:
        engine(name).prepare(SilentProgress())


def frames_of(folder: Path, run_id: int) -> Frames:
    with Store(folder / "results" / "polystack.sqlite") as store:
        return read_frames(store, [run_id])


def test_engines_are_loaded_anew_in_each_block_and_runs_are_compared(tmp_path: Path) -> None:
    marked = Marked(tmp_path)
    code, printed = marked.run(*COMPARE)
    assert code == 0, printed
    assert "what may be said" in printed
    assert "Noise floor of this machine" in printed
    frames = frames_of(tmp_path, 1)
    assert [len(loads) for loads in frames.conditions["loads"]] == [3, 3]
    assert (frames.samples["probe_compute_ns"] > 0).all()
    assert (frames.samples["probe_memory_ns"] > 0).all()
    timed = frames.samples[~frames.samples["is_warmup"]]
    for _, mine in timed.groupby("stack"):
        assert list(mine["iteration"]) == [1, 2, 3, 4, 5, 6]
        assert list(mine["block"]) == [1, 1, 2, 2, 3, 3]
        assert mine["requested_ns"].is_monotonic_increasing
    # Within each block both stacks, and never one block after the other has begun.
    begins = timed.groupby("block")["requested_ns"].min()
    ends = timed.groupby("block")["ended_ns"].max()
    assert (begins.iloc[1:].to_numpy() > ends.iloc[:-1].to_numpy()).all()
    order = timed.sort_values("requested_ns")["stack"].drop_duplicates(keep="first")
    assert tuple(order) == STACKS
    assert timed.sort_values("requested_ns").iloc[4]["stack"] == "ollama"  # the second is mirrored

    code, printed = marked.run(*COMPARE, "--until-ci", "0.1%", "--max-iterations", "8")
    assert code == 0, printed
    assert "The limit of 8 iterations is reached." in printed
    assert frames_of(tmp_path, 2).runs["looks"][0] == {"at": [6, 8], "limit": 8}

    code, printed = marked.run("diff", "1", "2", "--fail-if-slower", "500%")
    assert code == 2, printed
    code, printed = marked.run("diff", "1", "2")
    assert code == 0, printed
    assert "until ci" in printed
    assert "llama.cpp" in printed

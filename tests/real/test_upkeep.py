"""Upkeep on this machine: what is counted is there, and killed stacks come back."""

from __future__ import annotations

import math
import shutil
import subprocess
from pathlib import Path

import pytest

from python_runner.common.progress import SilentProgress
from python_runner.engines.checkup import survey
from python_runner.engines.table import built_engine_names, engine
from python_runner.engines.upkeep import UPKEEP, Inventory, facts_of
from python_runner.engines.upkeep.fact import DEPENDENCIES, DEPLOYED, OWN_LINES
from python_runner.store import Store, read_frames
from tests.contract.processes import no_process_left
from tests.real.command import Marked

STACKS = ("llama.cpp", "llama-server")
COMPILED = tuple(name for name in built_engine_names() if UPKEEP[name].builds)


@pytest.fixture(scope="module", autouse=True)
def everything_is_built() -> None:
    for name in STACKS:
        engine(name).prepare(SilentProgress())


def inventory(name: str) -> Inventory:
    return Inventory(declared=UPKEEP[name], used=survey(engine(name)).used)


def test_killed_stacks_come_back_and_leave_nothing(tmp_path: Path) -> None:
    marked = Marked(tmp_path)
    with no_process_left():
        code, printed = marked.run(
            *("upkeep", "--stacks", ",".join(STACKS), "--threads", "1"),
            *("--measure-recovery", "--times", "2"),
        )
    assert code == 0, printed
    assert not marked.processes()
    with Store(tmp_path / "results" / "polystack.sqlite", create=False) as store:
        frames = read_frames(store)
    crashes = frames.recoveries
    assert list(zip(crashes["stack"], crashes["attempt"], strict=True)) == [
        (name, attempt) for name in STACKS for attempt in (1, 2)
    ]
    assert set(crashes["error"]) == {""}
    assert (crashes["version"] != "").all()
    assert (crashes["recovery_s"] > 0).all()
    parts = ["noticed_s", "cleared_s", "load_s", "first_token_s"]
    assert (crashes[parts] >= 0).all(axis=None)
    assert crashes[parts].sum(axis=1).to_numpy() == pytest.approx(crashes["recovery_s"].to_numpy())
    assert crashes["run_id"].nunique() == 1
    assert frames.runs.empty


@pytest.mark.parametrize("name", STACKS)
def test_files_and_lock_files_give_figures(name: str) -> None:
    found = {fact.figure: fact for fact in facts_of(name, engine(name))}
    for figure in (DEPLOYED, DEPENDENCIES, OWN_LINES):
        assert found[figure].value > 0, found[figure].why_unknown
        assert found[figure].source


@pytest.mark.parametrize("name", COMPILED)
def test_what_a_program_loads_of_ours_is_counted(name: str) -> None:
    """The dynamic linker's own list, where the stack has been built."""
    stack = inventory(name)
    if stack.unbuilt or shutil.which("ldd") is None:
        pytest.skip(f"{name} is not built, or there is no ldd")
    shipped = set(stack.shipped())
    binaries = [path for path in shipped if path.suffix != ".py"]
    assert binaries
    printed = "".join(
        subprocess.run(["ldd", path], capture_output=True, text=True, check=True).stdout
        for path in binaries
    )
    loaded = (
        line.split("=>")[1].split("(")[0].strip() for line in printed.splitlines() if "=>" in line
    )
    ours = {Path(path).resolve() for path in loaded if path and "builds" in Path(path).parts}
    assert ours <= shipped


def test_a_stack_without_builds_is_counted_too() -> None:
    found = {fact.figure: fact for fact in facts_of("transformers", engine("transformers"))}
    assert found[DEPLOYED].value > 1e8
    assert found[DEPENDENCIES].value > 10
    assert not any(math.isnan(fact.value) for fact in found.values())

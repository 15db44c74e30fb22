"""The command line and loads: exit codes, what is printed, and what is kept."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import pytest

from python_runner.common.progress import SilentProgress
from python_runner.engines.contract import Reach
from python_runner.run.load import load
from python_runner.store import Store, read_frames
from tests.contract.processes import wait_until
from tests.faults.engines.pipeline import ITERATIONS, WARMUP, WELL, Bench, Faulty
from tests.faults.fault import fault
from tests.real.command import TIMEOUT_S, Marked

ONCE = Faulty(reach=Reach.SERVED, fault="middle SIGKILL", once=True)
HUNG = Faulty(
    reach=Reach.SERVED, fault="middle hang", at=2, also="ignores-sigterm grandchild daemon"
)
HEALTHY = Faulty(reach=Reach.SERVED)
_REQUESTS = 6


def _command(folder: Path, *stacks: Faulty, **changes: object) -> tuple[Marked, Bench, str]:
    """A command that knows these stacks, and the file of their study."""
    bench = Bench(folder=folder, stacks=stacks)
    file = folder / "faulty.toml"
    chosen = bench.study(**changes).model_dump(mode="json", exclude_none=True, exclude_unset=True)
    workload = chosen.pop("workload")
    lines = [f"{key} = {json.dumps(value)}" for key, value in chosen.items()]
    lines += ["[workload]", *(f"{key} = {json.dumps(value)}" for key, value in workload.items())]
    file.write_text("\n".join(lines))
    return Marked(folder, bench.variables()), bench, str(file)


@fault(
    "served engines crash under the command line, one for good and one once, with `--retries 1`",
    injected="SIGSEGV at the third request of each process; SIGKILL once",
    seen="why each gave no full set, the log's end and place; `needed a second attempt`; "
    "exit code 5",
    kept="the whole set of the others",
)
def test_the_command_tells_what_died_and_what_was_tried_again(tmp_path: Path) -> None:
    always = Faulty(reach=Reach.SERVED, fault="middle SIGSEGV", at=2)
    command, bench, study = _command(tmp_path, always, ONCE)
    code, printed = command.run("compare", study, "--retries", "1", "--no-answers", "--no-open")

    flat = " ".join(printed.split())
    assert code == 5, printed
    assert f"{always.name} gave no full set of samples" in flat
    assert "signal SIGSEGV" in flat
    assert "The whole log:" in flat
    assert f"{ONCE.name}: 1 of 4 requests needed a second attempt" in flat
    with Store(tmp_path / "results" / "polystack.sqlite") as store:
        samples = read_frames(store).samples
    answered = samples[samples["error"] == ""].groupby("stack").size()
    assert answered[WELL] == answered[ONCE.name] == WARMUP + ITERATIONS
    assert not bench.processes()


@fault(
    "Ctrl-C twice while a served engine hangs",
    injected="SIGINT, and another while the engine, its child and a daemon ignore SIGTERM",
    seen="`Interrupted. What was finished is kept as run 1`; exit code 130",
    kept="all finished samples",
)
def test_ctrl_c_twice_leaves_nothing(tmp_path: Path) -> None:
    command, bench, study = _command(tmp_path, HUNG)
    store = tmp_path / "results" / "polystack.sqlite"
    with command.start("compare", study, "--no-answers", "--no-open") as process:
        log = tmp_path / "results" / "logs" / "run-0001" / f"{HUNG.name}.log"
        wait_until(lambda: log.is_file() and "last words" in log.read_text(), "it hangs")
        process.send_signal(signal.SIGINT)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        printed, _ = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 130, printed
    assert "kept as run 1" in printed
    assert "Traceback" not in printed
    assert not bench.processes()
    with Store(store) as opened:
        assert len(read_frames(opened).samples) == WARMUP


@fault(
    "served engine dies under a load",
    injected="SIGKILL in the middle of its fourth answer",
    seen="`ended by itself (signal SIGKILL)`, and how the client saw it; exit code 5",
    kept="its finished requests, and the whole load of the other stack; nothing is tried again",
)
def test_a_death_under_load_costs_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dying = Faulty(reach=Reach.SERVED, fault="middle SIGKILL", at=4)
    bench = Bench(folder=tmp_path, stacks=(dying, HEALTHY))
    bench.set_up(monkeypatch)
    asked = bench.study(
        stacks=(dying.name, HEALTHY.name), load={"users": [1], "requests": _REQUESTS, "slots": 1}
    )
    with Store(tmp_path / "polystack.sqlite") as store:
        outcome = load(asked, store, logs=tmp_path, progress=SilentProgress())
        requests = read_frames(store).load_requests

    assert "signal SIGKILL" in outcome.broken[dying.name]
    assert outcome.broken.keys() == {dying.name}
    assert not bench.processes()
    answered = requests[requests["error_kind"] == ""].groupby("stack").size()
    assert answered[HEALTHY.name] == _REQUESTS
    assert answered[dying.name] >= 1

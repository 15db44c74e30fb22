"""`polystack` on slowed-down mocks, in a process that can be killed at any moment.

Python and all libraries are loaded once: each run is a fork of that process, so that a moment
costs what the run costs. Each tells over a pipe what it has reported as done: a line for every
sample, written when `record` has returned.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import IO, NoReturn
from unittest.mock import patch

from python_runner.common.locations import source_root

MAIN = "from tests.faults.resume.bench import serve; serve()"
STACKS = ("mock-cpp", "mock-go")
ITERATIONS = 4
COMPARE = (
    *("compare", "demo", "--stacks", ",".join(STACKS), "--iterations", str(ITERATIONS)),
    *("--blocks", "2", "--warmup", "1", "--no-answers", "--no-open"),
)
RESUME = ("resume", "latest", "--no-answers", "--no-open")
SAMPLES = len(STACKS) * (1 + 1 + ITERATIONS)
"""Of a whole run: each stack's warm-up in each of two blocks, and its iterations."""
ANSWER_S = 0.002
"""A mock answers at once; a moment in a request has to last."""
_LOADED_BEFORE = (
    *("python_runner.cli.app", "python_runner.cli.run_progress", "python_runner.report.of_run"),
    *("python_runner.report.terminal", "python_runner.run.resume.comparison"),
    *("python_runner.measure", "python_runner.engines.mock", "python_runner.cli.claims"),
)
_PATIENCE_S = 120.0


@dataclass
class Run:
    """One command that was started."""

    pid: int
    events: IO[str]
    reported: list[tuple[str, bool, int]] = field(default_factory=list)
    """Stack, is warm-up, iteration, of each sample that was reported as done."""

    def wait_for(self, samples: int) -> bool:
        """Until so many samples are reported; False if it ended before."""
        while len(self.reported) < samples:
            line = self.events.readline()
            if not line:
                return False
            stack, is_warmup, iteration = json.loads(line)
            self.reported.append((stack, bool(is_warmup), int(iteration)))
        return True

    def end(self, how: signal.Signals | None = None) -> None:
        """Send it this, if anything, and read what it still reported."""
        if how is not None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, how)
        self.wait_for(sys.maxsize)


@dataclass
class Bench:
    """The process that has everything loaded."""

    process: subprocess.Popen[str]

    @contextmanager
    def started(self, folder: Path, *arguments: str, holds_after: int = -1) -> Iterator[Run]:
        """A command in a process of its own; its end is waited for. `holds_after`: see `_Order`."""
        fifo = folder / "events"
        fifo.unlink(missing_ok=True)
        os.mkfifo(fifo)
        order = {"folder": str(folder), "arguments": arguments, "events": str(fifo)}
        self._tell({**order, "holds_after": holds_after})
        pid = int(self._answer())
        with fifo.open(encoding="utf-8") as events:
            run = Run(pid=pid, events=events)
            try:
                yield run
            finally:
                run.end()

    def code(self) -> int:
        """The exit code of the command that has ended; as of a shell for a signal."""
        return int(self._answer())

    def _tell(self, order: Mapping[str, object]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()

    def _answer(self) -> str:
        assert self.process.stdout is not None
        answer = self.process.stdout.readline()
        assert answer, "the process that forks has ended"
        return answer


@contextmanager
def bench() -> Iterator[Bench]:
    """Load everything once."""
    with subprocess.Popen(
        [sys.executable, "-c", MAIN],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(source_root()), "COLUMNS": "120"},
        text=True,
    ) as process:
        yield Bench(process)
        assert process.stdin is not None
        process.stdin.close()
        process.wait(_PATIENCE_S)


@dataclass(frozen=True, kw_only=True)
class _Order:
    holds_after: int
    """After so many samples a mock answers no more, until it is ended; below zero: never."""
    folder: str
    """Results go below it, and what is printed into its file `said`."""
    arguments: list[str]
    events: str
    """The pipe to report to."""


def serve() -> None:
    """Fork for each order on standard input; answer with the number of the process, its code."""
    for module in _LOADED_BEFORE:
        import_module(module)
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            _run(_Order(**json.loads(line)))
        print(pid, file=answers, flush=True)
        _, status = os.waitpid(pid, 0)
        code = os.waitstatus_to_exitcode(status)
        print(code if code >= 0 else 128 - code, file=answers, flush=True)


def _run(order: _Order) -> NoReturn:
    """The command, in the fork."""
    from python_runner.cli import main

    said = os.open(Path(order.folder) / "said", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(said, stream)
    os.environ["POLYSTACK_RESULTS"] = str(Path(order.folder) / "results")
    sys.argv = ["polystack", *order.arguments]
    code: object = 1
    with ExitStack() as patches:
        _patch(patches, os.open(order.events, os.O_WRONLY), order.holds_after)
        try:
            main()
        except SystemExit as end:
            code = end.code
        except BaseException:  # as the interpreter shows it, which this process never gets to
            traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else 1)


def _patch(patches: ExitStack, events: int, holds_after: int) -> None:
    """Mocks take a moment, and what is kept is said.

    Nobody looks at the machine, and nothing is shown at the end: a store has no part in either.
    """
    from python_runner.cli import output, report
    from python_runner.engines.contract import GenerateRequest, Generation
    from python_runner.engines.mock import MockModel
    from python_runner.measure import Condition, MachineProbe, Sample
    from python_runner.store import RunRecorder

    begin, record, answer = RunRecorder.begin, RunRecorder.record, MockModel.generate
    stack = ""
    reported = 0

    def begun(recorder: RunRecorder, condition: Condition) -> None:
        nonlocal stack
        stack = condition.engine.name
        begin(recorder, condition)

    def recorded(recorder: RunRecorder, sample: Sample) -> None:
        nonlocal reported
        record(recorder, sample)
        reported += 1
        key = (stack, sample.is_warmup, sample.iteration)
        os.write(events, (json.dumps(key) + "\n").encode())

    def slow(model: MockModel, request: GenerateRequest) -> Generation:
        time.sleep(_PATIENCE_S if reported == holds_after else ANSWER_S)
        return answer(model, request)

    for owner, name, mended in (
        (RunRecorder, "begin", begun),
        (RunRecorder, "record", recorded),
        (MockModel, "generate", slow),
        (MachineProbe, "read", lambda _: None),
        (output, "show_summary", lambda *_: None),
        (output, "draw", lambda *_: None),
        (report, "write", lambda *_: []),
    ):
        patches.enter_context(patch.object(owner, name, mended))

"""Engines that are libraries: each runs in a worker process of its own.

A crash of the library (an illegal instruction, memory run out) is then a result and not
the end of the run, and memory and CPU time can be told apart from the workbench's.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from python_runner.common.clock import NS_PER_S, now_ns
from python_runner.common.errors import (
    EngineCrashError,
    EngineStartError,
    GenerationError,
)
from python_runner.common.memory_end import kernel_kills, kills_since, memory_end
from python_runner.common.processes import (
    describe_exit,
    likely_cause,
    start_child,
    stop_tree,
    tail,
)
from python_runner.common.progress import Progress
from python_runner.engines.contract import (
    EngineDescription,
    EngineSpec,
    GenerateRequest,
    Generation,
    LaunchSettings,
    RunningEngine,
)
from python_runner.engines.scoring import ScoreRequest, TokenScores
from python_runner.engines.worker import wire
from python_runner.engines.worker.channel import Channel
from python_runner.engines.worker.errors import as_error, not_ready, out_of_time
from python_runner.engines.worker.idle import IdleWatch
from python_runner.engines.worker.program import (
    WorkerProgram,
    python_worker,
    worker_environment,
)

_BRIEF_TIMEOUT_S = 60.0
_QUIT_GRACE_S = 5.0
_EXIT_GRACE_S = 10.0
_HUNG_GRACE_S = 1.0
"""From SIGTERM to SIGKILL: a worker has nothing to save."""

Environment = Callable[[LaunchSettings], Mapping[str, str]]


class EmbeddedEngine:
    """A stack whose engine is a library in our worker process. Implements `contract.Engine`."""

    def __init__(
        self,
        *,
        spec: EngineSpec,
        prepare: Callable[[Progress], None],
        loader: str,
        environment: Environment | None = None,
        program: Callable[[LaunchSettings], WorkerProgram] = python_worker,
    ) -> None:
        """Combine what makes an embedded engine.

        Args:
            spec: what is known before it runs.
            prepare: finds or builds the library; a second call does nothing.
            loader: `module:function`, called in the worker with the LaunchSettings; returns
                an InProcessModel. To a program of its own, whatever it calls its engines.
            environment: variables for the worker besides those that set the threads.
            program: finds the worker, which `prepare` has built, where it is not Python.
        """
        self._spec = spec
        self._prepare = prepare
        self._loader = loader
        self._environment = environment
        self._program = program

    @property
    def spec(self) -> EngineSpec:
        return self._spec

    def prepare(self, progress: Progress) -> None:
        """Find or build the library."""
        self._prepare(progress)

    def start(self, settings: LaunchSettings, log: Path) -> RunningEngine:
        """Start the worker and wait until it has loaded the model.

        Call it from a thread that lives as long as the engine (see `start_child`).
        """
        environment = worker_environment(settings.threads)
        if self._environment is not None:
            environment.update(self._environment(settings))
        program = self._program(settings)
        worker = _Worker(self._spec.title, program, environment, log)
        try:
            worker.load(wire.Load(loader=self._loader, settings=program.settings or settings))
        except BaseException:  # Ctrl-C too must not leave the process behind
            worker.stop()
            raise
        return worker


class _Worker:
    """The workbench's side of a worker process.

    Implements `contract.RunningEngine`, `contract.StampsInProcess` and `scoring.Scores`.
    """

    def __init__(
        self, title: str, program: WorkerProgram, environment: Mapping[str, str], log: Path
    ) -> None:
        self._title = title
        self._program = program
        self._log = log
        self._turn = threading.Lock()
        """Held from a question to its answer, so that answers cannot be mixed up."""
        self._stopping = threading.Event()
        self._ended = ""
        """Why no more can be asked, once that is so."""
        self._description: EngineDescription | None = None
        self._load_ns = 0
        self._started_ns = now_ns()
        self._kills = kernel_kills()
        their_read, our_write = os.pipe()
        our_read, their_write = os.pipe()
        try:
            self._child: subprocess.Popen[bytes] = start_child(
                [*program.command, str(their_read), str(their_write)],
                log=log,
                env=environment,
                pass_fds=(their_read, their_write),
            )
        except BaseException:
            os.close(our_read)
            os.close(our_write)
            raise
        finally:
            os.close(their_read)
            os.close(their_write)
        self._channel = Channel(reading=our_read, writing=our_write)

    def load(self, message: wire.Load) -> None:
        """Have the model loaded. Raises EngineStartError or EngineCrashError."""
        limit_s = message.settings.start_timeout_s
        try:
            reply = self._ask(message, limit_s, "loading the model")
        except TimeoutError as error:
            raise not_ready(self._title, limit_s, self._log) from error
        self._load_ns = now_ns() - self._started_ns
        if not isinstance(reply, wire.Ready):
            raise self._out_of_step(reply)
        reply = self._ask_briefly(wire.Describe(), "describing itself")
        if not isinstance(reply, wire.Described):
            raise self._out_of_step(reply)
        said = reply.description
        facts = {**self._program.facts, **said.build}
        self._description = replace(said, build={**facts, **self._program.infer(facts)})

    @property
    def description(self) -> EngineDescription:
        if self._description is None:
            raise EngineStartError(f"{self._title} has not loaded its model")
        return self._description

    @property
    def load_seconds(self) -> float:
        return self._load_ns / NS_PER_S

    def token_ids(self, text: str) -> tuple[int, ...] | None:
        reply = self._ask_briefly(wire.Tokenize(text=text), "reading a prompt")
        if not isinstance(reply, wire.TokenIds):
            raise self._out_of_step(reply)
        return reply.ids

    def generate(self, request: GenerateRequest) -> Generation:
        try:
            reply = self._ask(
                wire.Generate(request=request),
                request.timeout_s,
                "answering",
                stall_s=request.stall_timeout_s,
            )
        except TimeoutError as error:
            raise out_of_time(error, self._title, request, self._log) from error
        if not isinstance(reply, wire.Generated):
            raise self._out_of_step(reply)
        return reply.generation

    def stamp_cost_ns(self) -> float | None:
        reply = self._ask_briefly(wire.MeasureStamps(), "measuring its stamps")
        if not isinstance(reply, wire.StampCost):
            raise self._out_of_step(reply)
        return reply.ns

    def score(self, request: ScoreRequest) -> TokenScores:
        try:
            reply = self._ask(wire.Score(request=request), request.timeout_s, "scoring tokens")
        except TimeoutError as error:
            raise GenerationError(
                f"{self._title} had no scores after {request.timeout_s:g} s, and was ended"
            ) from error
        if not isinstance(reply, wire.Scored):
            raise self._out_of_step(reply)
        return reply.scores

    def process_ids(self) -> tuple[int, ...]:
        return (self._child.pid,)

    def stop(self) -> None:
        """End the worker, also from another thread while it answers. Safe to call twice."""
        if self._channel.is_closed:
            return
        self._stopping.set()
        try:
            if self._turn.acquire(blocking=False):
                try:
                    self._say_quit()
                finally:
                    self._turn.release()
        finally:  # also after a second Ctrl-C
            stop_tree(self._child)
        # Whoever waited for an answer has met the end of the pipe by now.
        with self._turn:
            self._ended = self._ended or "was stopped"
            self._channel.close()

    def __enter__(self) -> _Worker:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def _say_quit(self) -> None:
        if self._ended:
            return
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            self._channel.send(wire.Quit(), _QUIT_GRACE_S)
            self._child.wait(timeout=_QUIT_GRACE_S)

    def _ask_briefly(self, message: wire.Message, doing: str) -> wire.Message:
        """Ask what any engine answers at once."""
        try:
            return self._ask(message, _BRIEF_TIMEOUT_S, doing)
        except TimeoutError as error:
            raise EngineCrashError(f"{self._title} hung while {doing}, and was ended") from error

    def _ask(
        self, message: wire.Message, timeout_s: float, doing: str, *, stall_s: float | None = None
    ) -> wire.Message:
        """Send one message and wait for its answer.

        Raises TimeoutError, EngineCrashError, and what the worker reports as its failure;
        StalledError if it does not compute for `stall_s`.
        """
        watch = IdleWatch(self._child.pid, stall_s) if stall_s else None
        with self._turn:
            if self._ended:
                raise EngineCrashError(f"{self._title} {self._ended}")
            try:
                self._channel.send(message, timeout_s)
                reply = self._channel.receive(timeout_s, watch)
            except (EOFError, BrokenPipeError, wire.WireError):
                raise self._crash(doing) from None
            except BaseException:
                # Too late or Ctrl-C: were it left alive, its answer to this question would
                # be taken for the answer to the next.
                self._ended = f"was ended while {doing}"
                stop_tree(self._child, grace_s=_HUNG_GRACE_S)
                raise
        if isinstance(reply, wire.Failure):
            raise as_error(reply, self._log)
        return reply

    def _crash(self, doing: str) -> EngineCrashError:
        """The worker closed its pipe without an answer: say how it ended."""
        if self._stopping.is_set():
            self._ended = f"was stopped while {doing}"
            return EngineCrashError(f"{self._title} {self._ended}")
        try:
            code = self._child.wait(timeout=_EXIT_GRACE_S)
            self._ended = f"ended by itself ({describe_exit(code)}) while {doing}"
        except subprocess.TimeoutExpired:
            code = 0
            self._ended = f"stopped talking while {doing}"
            stop_tree(self._child)
        end_of_log = tail(self._log)
        memory = memory_end(code, end_of_log, kills=kills_since(self._kills))
        return EngineCrashError(
            f"{memory}{': ' if memory else ''}{self._title} {self._ended}"
            + (f":\n{end_of_log}" if end_of_log else ""),
            hint=f"{likely_cause(code)}The whole log: {self._log}",
        )

    def _out_of_step(self, reply: wire.Message) -> EngineCrashError:
        return EngineCrashError(
            f"{self._title} sent {type(reply).__name__}, which was not the question"
        )

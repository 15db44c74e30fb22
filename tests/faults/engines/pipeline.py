"""Faulty engines, embedded and served, in the whole pipeline beside one that is well."""

from __future__ import annotations

import json
import os
import sys
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import psutil
import pytest

from python_runner.common.progress import SilentProgress
from python_runner.engines.contract import (
    Engine,
    GenerateRequest,
    Language,
    Reach,
    RunningEngine,
)
from python_runner.engines.mock import mock_spec
from python_runner.engines.table import engine
from python_runner.engines.worker.embedded import EmbeddedEngine
from python_runner.run import endpoints
from python_runner.run.compare import Comparison, compare
from python_runner.store import Frames, Store, read_frames
from python_runner.study import Study
from tests.contract.processes import alive
from tests.unit.builders import study
from tests.unit.engines.helpers import settings_for

ROOT = Path(__file__).parents[3]
SERVER = "tests.faults.engines.server"
WELL = "mock-go"
"""Is beside every faulty stack, and must keep its whole set of samples."""
WARMUP, ITERATIONS = 1, 3
MARK = "POLYSTACK_FAULT_MARK"
_PROGRAM = "POLYSTACK_FAULTY"
_ROW = """
[[servers]]
name = {name}
title = {name}
language = "Python"
read_at = "1"
devices = ["cpu"]
page = "A server of the tests."
command = ["{{program}}", "{{port}}"]
environment = {environment}
find = {{ variable = "POLYSTACK_FAULTY", program = "faulty", install = "It comes with the tests." }}
version = {{ path = "/version" }}
ready = {{ path = "/health" }}
asks = {{ prompt = "ids", adds_bos = true, ignore_end = {{ ignore_eos = true }} }}
answers = {{ ids = "token_ids", end_is_counted = true }}
sources = [{{ what = "all", file = "server.py", at = "https://example.org/" }}]
precision = {{ bf16 = {bf16}, 8bit = {bf16}, shipped = {bf16} }}
"""
_BF16 = '{ name = "bf16", bits = 16 }'


@dataclass(frozen=True, kw_only=True)
class Faulty:
    """A stack that goes wrong; see `doing`."""

    reach: Reach
    fault: str = "never never"
    at: int = 3
    """After one request of warm-up and one timed."""
    also: str = ""
    once: bool = False

    @property
    def name(self) -> str:
        once = "once" if self.once else ""
        words = f"{self.reach} {self.fault} {self.also} {once}"
        return "-".join(words.lower().split())

    def environment(self, folder: Path) -> dict[str, str]:
        once = {"FAULT_ONCE": str(folder / f"{self.name}.once")} if self.once else {}
        return {"FAULT": self.fault, "FAULT_AT": str(self.at), "FAULT_ALSO": self.also, **once}

    def embedded(self, folder: Path) -> EmbeddedEngine:
        """This engine, if it is embedded."""
        return EmbeddedEngine(
            spec=replace(mock_spec(self.name, Language.CPP, Reach.EMBEDDED), title=self.name),
            prepare=lambda progress: None,
            loader="tests.faults.engines.paper:load",
            environment=lambda settings: self.environment(folder),
        )


ASKED = GenerateRequest(prompt_text="a prompt", prompt_ids=(2, 5), new_tokens=4)


def both(fault: str, **how: Any) -> list[Faulty]:
    """That fault of an embedded and of a served engine."""
    return [Faulty(reach=reach, fault=fault, **how) for reach in Reach]


def bring_servers(folder: Path, stacks: Iterable[Faulty]) -> dict[str, str]:
    """Variables by which the served ones of them are found; their files are in `folder`."""
    script = folder / "faulty"
    script.write_text(
        f'#!/bin/sh\nexport PYTHONPATH="{ROOT}"\nexec "{sys.executable}" -S -u -m {SERVER} "$@"\n'
    )
    script.chmod(0o755)
    rows = [
        _ROW.format(
            name=json.dumps(each.name), environment=_inline(each.environment(folder)), bf16=_BF16
        )
        for each in stacks
        if each.reach is Reach.SERVED
    ]
    (folder / "servers.toml").write_text("".join(rows))
    return {"POLYSTACK_SERVERS": str(folder / "servers.toml"), _PROGRAM: str(script)}


def _inline(values: Mapping[str, str]) -> str:
    return "{ " + ", ".join(f"{key} = {json.dumps(value)}" for key, value in values.items()) + " }"


@dataclass(frozen=True, kw_only=True)
class Bench:
    """Where faulty stacks run, and by what their processes are found."""

    folder: Path
    stacks: tuple[Faulty, ...]
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)

    def set_up(self, patch: pytest.MonkeyPatch) -> None:
        """Make the stacks known to the pipeline in this process."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for name, value in self.variables().items():
            patch.setenv(name, value)
        patch.setattr(endpoints, "engine", self.engine)
        # The client's own error is measured elsewhere, and takes a second for each served stack.
        for module in ("compare", "load"):
            found = import_module(f"python_runner.run.{module}")
            patch.setattr(found, "CalibratorOnDemand", lambda progress: None)

    def engine(self, name: str) -> Engine:
        """One of theirs, or of the workbench."""
        own = {each.name: each for each in self.stacks if each.reach is Reach.EMBEDDED}
        return own[name].embedded(self.folder) if name in own else engine(name)

    def variables(self) -> dict[str, str]:
        """For the pipeline, here or in a process of its own."""
        return {**bring_servers(self.folder, self.stacks), MARK: self.mark}

    def study(self, **changes: Any) -> Study:
        """The faulty stacks, and the one that is well between them."""
        names = [each.name for each in self.stacks]
        values: dict[str, Any] = {
            "stacks": (*names[:1], WELL, *names[1:]),
            "iterations": ITERATIONS,
            "warmup": WARMUP,
            "blocks": 1,
            "threads": 1,
            "context": 64,
            "workload": {"prompt_tokens": 16, "new_tokens": 6},
        }
        return study(**{**values, **changes})

    def compare(self, **changes: Any) -> Ran:
        """Run them; after it none of their processes may be left."""
        with Store(self.folder / "polystack.sqlite") as store:
            outcome = compare(
                self.study(**changes), store, logs=self.folder, progress=SilentProgress()
            )
            frames = read_frames(store, [outcome.run_id])
        left = self.processes()
        assert not left, f"processes were left behind: {left}"
        return Ran(outcome=outcome, frames=frames)

    def start(self, stack: Faulty) -> RunningEngine:
        """One of them, as the pipeline starts it."""
        (self.folder / "config.json").touch()  # a server is given no folder without a model
        log = self.folder / f"{stack.name}.log"
        return self.engine(stack.name).start(settings_for(self.folder), log)

    def processes(self) -> set[int]:
        """Those that live and were started by this bench, wherever they have gone."""
        found = set()
        for process in psutil.process_iter():
            try:
                if process.pid != os.getpid() and process.environ().get(MARK) == self.mark:
                    found.add(process.pid)
            except (psutil.Error, OSError):
                continue
        return alive(found)


@dataclass(frozen=True, kw_only=True)
class Ran:
    """What became of a comparison."""

    outcome: Comparison
    frames: Frames

    def reason(self, stack: Faulty) -> str:
        """Why it gave no full set."""
        return self.outcome.broken[stack.name]

    def samples(self, name: str) -> list[dict[Any, Any]]:
        """The samples of a stack, in their order."""
        rows = self.frames.samples
        return rows[rows["stack"] == name].to_dict(orient="records")

    def answered(self, name: str) -> int:
        """How many of them are answers."""
        return sum(row["error"] == "" for row in self.samples(name))

    def assert_well(self) -> None:
        """The stack that is well has its whole set, and the run is complete."""
        assert WELL not in self.outcome.broken
        assert self.answered(WELL) == WARMUP + ITERATIONS
        assert list(self.frames.runs["status"]) == ["complete"]

"""Which of the instruction sets that the CPU lists really work, found by running them.

A virtual machine may list a set and kill the program that uses it. So one instruction of
each set (`native/cpu/probe.c`) is compiled with the compiler that everything else is
compiled with, and run in a process of its own.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from pathlib import Path

from python_runner.common.build.cache import scratch_dir
from python_runner.common.build.commands import build_variables
from python_runner.common.build.instructions import INSTRUCTION_SETS, InstructionSet
from python_runner.common.build.toolchain import Compilers
from python_runner.common.locations import cache_dir, source_root

_COMPILE_TIMEOUT_S = 60.0
_RUN_TIMEOUT_S = 10.0
_REFUSED_EXIT_CODE = 2
_NOTHING = InstructionSet(name="nothing", option="", instruction="nop")


class Outcome(StrEnum):
    """What became of an instruction of a set that the CPU lists."""

    WORKS = "works"
    DIES = "dies with SIGILL"
    REFUSED = "refused by the kernel"
    UNKNOWN = "not known to the compiler"
    UNCLEAR = "could not be tried"


Try = Callable[[InstructionSet], Outcome]


def probe_cpu(listed: frozenset[str], compilers: Compilers) -> Mapping[str, Outcome]:
    """What became of each set that is in `listed` and in our table; tried once, then known.

    Args:
        listed: the CPU's features as /proc/cpuinfo names them.
        compilers: the ones that everything else is compiled with.
    """
    record = _record(listed, compilers)
    known = _read(record)
    if known is not None:
        return known
    with tempfile.TemporaryDirectory(dir=scratch_dir(), prefix="cpu-probe-") as folder:
        outcomes = try_all(listed, lambda chosen: _try(chosen, compilers.c, Path(folder)))
    if Outcome.UNCLEAR not in outcomes.values():
        _write(record, outcomes)
    return outcomes


def try_all(listed: frozenset[str], attempt: Try) -> dict[str, Outcome]:
    """`attempt` each set that is listed; none of them if not even nothing can be run."""
    chosen = [found for found in INSTRUCTION_SETS if found.name in listed]
    if attempt(_NOTHING) is not Outcome.WORKS:
        return {found.name: Outcome.UNCLEAR for found in chosen}
    return {found.name: attempt(found) for found in chosen}


def names_with(outcomes: Mapping[str, Outcome], *wanted: Outcome) -> frozenset[str]:
    """The sets that came to one of these ends."""
    return frozenset(name for name, outcome in outcomes.items() if outcome in wanted)


def _try(chosen: InstructionSet, compiler: str, folder: Path) -> Outcome:
    program = folder / chosen.name
    command = [
        *(compiler, "-O1", str(_source()), "-o", str(program)),
        *([f"-m{chosen.option}"] if chosen.option else []),
        *(["-DTILES"] if chosen.is_amx else []),
        f'-DINSTRUCTION="{chosen.instruction}"',
    ]
    try:
        compiled = subprocess.run(
            command,
            capture_output=True,
            timeout=_COMPILE_TIMEOUT_S,
            check=False,
            env=build_variables(),
        )
        if compiled.returncode != 0:
            return Outcome.UNKNOWN
        ended = subprocess.run(
            [program], timeout=_RUN_TIMEOUT_S, check=False, env=build_variables()
        )
    except (OSError, subprocess.TimeoutExpired):
        return Outcome.UNCLEAR
    return outcome_of(ended.returncode)


def outcome_of(exit_code: int) -> Outcome:
    """How the probe's exit code is read; negative: the number of the signal that ended it."""
    known = {
        0: Outcome.WORKS,
        _REFUSED_EXIT_CODE: Outcome.REFUSED,
        -signal.SIGILL: Outcome.DIES,
    }
    return known.get(exit_code, Outcome.UNCLEAR)


def _source() -> Path:
    return source_root() / "native" / "cpu" / "probe.c"


def _record(listed: Iterable[str], compilers: Compilers) -> Path:
    """Where the outcome for this CPU and compiler is kept."""
    asked = [sorted(listed), compilers.version, repr(INSTRUCTION_SETS), _source().read_text()]
    digest = hashlib.sha256(json.dumps(asked).encode()).hexdigest()
    return cache_dir() / "cpu" / f"probe-{digest[:16]}.json"


def _read(record: Path) -> Mapping[str, Outcome] | None:
    try:
        return {name: Outcome(text) for name, text in json.loads(record.read_text()).items()}
    except (OSError, ValueError, AttributeError):
        return None


def _write(record: Path, outcomes: Mapping[str, Outcome]) -> None:
    record.parent.mkdir(parents=True, exist_ok=True)
    fresh = record.with_suffix(f".{os.getpid()}")
    fresh.write_text(json.dumps(outcomes, indent=2))
    fresh.replace(record)

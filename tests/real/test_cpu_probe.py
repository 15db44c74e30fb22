"""The probe's own programs, compiled and run on this machine."""

import platform
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from python_runner.common.build import probe
from python_runner.common.build.cpu import cpu_flags, flags_for, probed
from python_runner.common.build.instructions import INSTRUCTION_SETS, InstructionSet
from python_runner.common.build.probe import Outcome, probe_cpu
from python_runner.common.build.toolchain import c_compilers
from python_runner.common.locations import CACHE_VARIABLE

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() != "x86_64",
    reason="elsewhere the compiler decides",
)
ILLEGAL = InstructionSet(name="illegal", option="sse2", instruction="ud2")
UNHEARD_OF = InstructionSet(name="unheard of", option="no-such-set", instruction="nop")
CPUINFO = Path("/proc/cpuinfo")


def attempt(chosen: InstructionSet, folder: Path) -> Outcome:
    return probe._try(chosen, c_compilers("a test").c, folder)


def test_an_illegal_instruction_is_a_result(tmp_path: Path) -> None:
    assert attempt(ILLEGAL, tmp_path) is Outcome.DIES
    assert not list(Path.cwd().glob("core*"))


def test_a_set_that_the_compiler_does_not_know_is_told_apart(tmp_path: Path) -> None:
    assert attempt(UNHEARD_OF, tmp_path) is Outcome.UNKNOWN


def test_every_program_compiles_and_ends(tmp_path: Path) -> None:
    """Also those of sets that this CPU does not have: they die, and that is known."""
    for chosen in INSTRUCTION_SETS:
        outcome = attempt(chosen, tmp_path)
        if outcome is Outcome.UNKNOWN:  # by a compiler that is too old, and not by a slip of ours
            assert attempt(replace(chosen, instruction="nop"), tmp_path) is Outcome.UNKNOWN
        else:
            assert outcome is not Outcome.UNCLEAR, chosen.name


def test_what_is_listed_is_tried_and_the_flags_follow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    outcomes = probed()
    words = CPUINFO.read_text().split("flags", 1)[1].splitlines()[0].split()

    assert set(outcomes) == {s.name for s in INSTRUCTION_SETS if s.name in words}
    assert Outcome.UNCLEAR not in outcomes.values()
    assert cpu_flags() == flags_for(CPUINFO.read_text(), machine="x86_64", outcomes=outcomes)
    assert probe_cpu(frozenset(words), c_compilers("a test")) == outcomes


def test_a_compiler_that_does_not_work_concludes_nothing(tmp_path: Path) -> None:
    assert probe._try(probe._NOTHING, str(tmp_path / "cc"), tmp_path) is Outcome.UNCLEAR

"""What is concluded from the probe's programs, and when they are run at all."""

import signal
from pathlib import Path

import pytest

from python_runner.common.build import probe
from python_runner.common.build.instructions import InstructionSet
from python_runner.common.build.probe import Outcome, outcome_of, probe_cpu, try_all
from python_runner.common.build.toolchain import Compilers
from python_runner.common.locations import CACHE_VARIABLE

COMPILERS = Compilers(c="/bin/cc", cxx="/bin/c++", version="c++ 12.2")
LISTED = frozenset({"fpu", "avx2", "avx512_bf16", "amx_tile"})


class Machine:
    """Runs everything but what is named as dead; counts what it was asked."""

    def __init__(self, **ends: Outcome) -> None:
        self.ends = ends
        self.asked: list[str] = []

    def __call__(self, chosen: InstructionSet, *_: object) -> Outcome:
        self.asked.append(chosen.name)
        return self.ends.get(chosen.name, Outcome.WORKS)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))


def test_only_what_is_listed_is_tried() -> None:
    assert try_all(LISTED, Machine(amx_tile=Outcome.DIES)) == {
        "avx2": Outcome.WORKS,
        "avx512_bf16": Outcome.WORKS,
        "amx_tile": Outcome.DIES,
    }


def test_where_nothing_runs_nothing_is_concluded() -> None:
    """A compiler that makes no program at all says nothing about the CPU."""
    outcomes = try_all(LISTED, Machine(nothing=Outcome.UNKNOWN, avx2=Outcome.UNKNOWN))

    assert set(outcomes.values()) == {Outcome.UNCLEAR}


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        (0, Outcome.WORKS),
        (2, Outcome.REFUSED),
        (-signal.SIGILL, Outcome.DIES),
        (-signal.SIGKILL, Outcome.UNCLEAR),
        (1, Outcome.UNCLEAR),
    ],
)
def test_only_an_illegal_instruction_is_a_death(code: int, outcome: Outcome) -> None:
    assert outcome_of(code) is outcome


def test_the_outcome_is_kept_for_this_cpu_and_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(avx512_bf16=Outcome.DIES)
    monkeypatch.setattr(probe, "_try", machine)
    first = probe_cpu(LISTED, COMPILERS)
    asked = len(machine.asked)

    assert probe_cpu(LISTED, COMPILERS) == first
    assert len(machine.asked) == asked
    probe_cpu(LISTED | {"fma"}, COMPILERS)
    probe_cpu(LISTED, Compilers(c="/bin/cc", cxx="/bin/c++", version="c++ 13.1"))
    assert len(machine.asked) > 2 * asked


def test_what_could_not_be_tried_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(avx2=Outcome.UNCLEAR)
    monkeypatch.setattr(probe, "_try", machine)
    probe_cpu(LISTED, COMPILERS)
    machine.ends = {}

    assert probe_cpu(LISTED, COMPILERS)["avx2"] is Outcome.WORKS


def test_a_damaged_record_is_made_anew(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(probe, "_try", Machine())
    first = probe_cpu(LISTED, COMPILERS)
    (record,) = (tmp_path / "cpu").iterdir()
    record.write_text("[1")

    assert probe_cpu(LISTED, COMPILERS) == first

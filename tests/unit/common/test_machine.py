"""What is said of the machine."""

import os
from pathlib import Path

import pytest

from python_runner.common import machine
from python_runner.common.checkup import Finding, State
from python_runner.common.locations import CACHE_VARIABLE
from python_runner.common.machine import MachineCheckup, platform_finding, writable_parent


def look() -> dict[str, Finding]:
    return {finding.subject: finding for finding in MachineCheckup().look()}


@pytest.mark.parametrize(
    ("system", "architecture", "state", "words"),
    [
        ("linux", "x86_64", State.READY, "tested"),
        ("linux", "aarch64", State.NOTE, "not tested"),
        ("darwin", "arm64", State.NOTE, "not tested"),
        ("freebsd14", "amd64", State.NOTE, "not tested; Linux on x86-64 is"),
    ],
)
def test_only_what_was_tested_is_called_tested(
    system: str, architecture: str, state: State, words: str
) -> None:
    finding = platform_finding(system, architecture)
    assert finding.state is state
    assert f": {words}" in finding.detail


def test_memory_disk_and_ports_are_told_with_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "not" / "yet"))
    found = look()
    assert "GB available" in found["memory"].detail
    assert "GB free" in found["cache"].detail
    assert found["ports"].state is State.READY


def test_a_cache_that_cannot_be_written_is_in_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    finding = look()["cache"]
    assert (finding.state, finding.is_needed) == (State.MISSING, True)
    assert CACHE_VARIABLE in finding.mend


def test_a_machine_without_ports_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> int:
        raise OSError(99, "Cannot assign requested address")

    monkeypatch.setattr(machine, "free_port", refuse)
    finding = look()["ports"]
    assert (finding.state, finding.is_needed) == (State.MISSING, True)
    assert "Cannot assign" in finding.detail


def test_a_port_that_somebody_has_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_is_taken", lambda port: True)
    assert "left alone" in look()["ports"].detail


def test_a_folder_that_is_not_there_is_as_writable_as_its_parent(tmp_path: Path) -> None:
    assert writable_parent(tmp_path / "a" / "b") == tmp_path

"""The contract of an engine: who can reach it, what it inherits, and what it writes down."""

from __future__ import annotations

import psutil
import pytest

from python_runner.engines.served.reachable import open_sockets
from tests.contract.fleet import KEYS, Fleet
from tests.contract.names import names_under_test
from tests.contract.processes import family

REAL = pytest.mark.parametrize("name", names_under_test())
CANARY = "heliotrope zeppelin"
"""Words of a prompt that nobody else writes."""


@REAL
def test_only_this_machine_reaches_it(fleet: Fleet, name: str) -> None:
    for pid in fleet.running(name).process_ids():
        outside = [str(each) for each in open_sockets(pid) if not each.is_local]
        assert not outside, f"{name} can be reached at {', '.join(outside)}"


@REAL
def test_a_prompt_is_in_no_list_of_processes_and_no_log(fleet: Fleet, name: str) -> None:
    running = fleet.running(name)
    fleet.ask(name, f"The {CANARY} flies", new_tokens=2)
    for pid in family(running.process_ids()):
        process = psutil.Process(pid)
        assert CANARY not in " ".join(process.cmdline())
        assert CANARY not in str(process.environ())
    for log in fleet.logs.rglob("*"):
        assert not log.is_file() or CANARY not in log.read_text(errors="replace"), log


@REAL
def test_it_inherits_no_key(fleet: Fleet, name: str) -> None:
    for pid in family(fleet.running(name).process_ids()):
        variables = psutil.Process(pid).environ()
        assert not set(KEYS) & set(variables)
        assert not set(KEYS.values()) & set(variables.values())

"""`polystack diff` as a user types it, on mocks."""

from pathlib import Path

import pytest

from python_runner.common.clock import NS_PER_MS
from python_runner.common.errors import SLOWER_EXIT_CODE, UnfairError
from python_runner.engines import mock
from python_runner.engines.mock import MockEngine, MockScript
from python_runner.store import Store
from tests.unit.cli.conftest import Polystack

COMPARE = ("compare", "demo", "--stacks", "mock-cpp,mock-go", "--iterations", "6", "--blocks", "3")


def compare(polystack: Polystack, *more: str) -> None:
    assert polystack(*COMPARE, *more).code == 0


@pytest.fixture
def slow_go(monkeypatch: pytest.MonkeyPatch) -> MockEngine:
    """Half as fast as the one that comes with polystack."""
    return MockEngine(mock.GO.spec, MockScript(ttft_ns=2600 * NS_PER_MS, itl_ns=450 * NS_PER_MS))


def test_nothing_changed(polystack: Polystack) -> None:
    compare(polystack)
    compare(polystack)
    outcome = polystack("diff", "1", "2", "--fail-if-slower", "5%")
    assert outcome.code == 0
    assert "Nothing changed in the conditions." in outcome.out
    assert "no difference" in outcome.out
    assert "less than 10 %" in outcome.out


def test_a_stack_that_is_really_slower_has_an_exit_code_of_its_own(
    polystack: Polystack, slow_go: MockEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    compare(polystack)
    monkeypatch.setattr(mock, "GO", slow_go)
    compare(polystack)
    outcome = polystack("diff", "1", "2", "--fail-if-slower", "5%")
    assert outcome.code == SLOWER_EXIT_CODE
    assert "mock Go is slower by" in outcome.out
    assert polystack("diff", "1", "2", "--fail-if-slower", "99.9%").code == 0
    assert polystack("diff", "1").code == 0
    assert polystack("diff", "2", "1", "--fail-if-slower", "5%").code == 0


def test_changed_settings_are_shown(polystack: Polystack) -> None:
    compare(polystack, "--threads", "1")
    compare(polystack, "--threads", "2")
    said = polystack("diff", "1", "2").out
    assert "threads" in said


def test_runs_of_two_machines_are_not_judged(polystack: Polystack, results: Path) -> None:
    compare(polystack)
    compare(polystack)
    with Store(results / "polystack.sqlite") as store, store.transaction() as connection:
        connection.execute(
            "UPDATE runs SET host_json = json_set(host_json, '$.cpu', 'other') WHERE run_id = 2"
        )
    outcome = polystack("diff", "1", "2")
    assert outcome.code == 0
    assert "different machines" in outcome.out
    outcome = polystack("diff", "1", "2", "--fail-if-slower", "5%")
    assert outcome.code == UnfairError.exit_code
    assert "different machines" in outcome.err


def test_another_workload_is_not_judged(polystack: Polystack) -> None:
    compare(polystack)
    compare(polystack, "--new-tokens", "12")
    assert "not judged" in polystack("diff", "1", "2").out
    assert polystack("diff", "1", "2", "--fail-if-slower", "5%").code == UnfairError.exit_code


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("1", "1"), "held against itself"),
        (("1", "9"), "unknown run '9'"),
        (("1", "2", "--fail-if-slower", "5"), "'5' is no share"),
    ],
)
def test_a_users_mistake_is_told(
    polystack: Polystack, arguments: tuple[str, ...], said: str
) -> None:
    compare(polystack)
    outcome = polystack("diff", *arguments)
    assert outcome.code == 2
    assert said in outcome.err


def test_until_ci_is_kept_with_the_run(polystack: Polystack) -> None:
    outcome = polystack(*COMPARE, "--until-ci", "50%")
    assert outcome.code == 0, outcome.err
    assert "all intervals are within" in outcome.out
    assert "looked at several times" in polystack("show", "1").out

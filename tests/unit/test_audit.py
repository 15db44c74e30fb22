"""`just audit` never takes for clean what was not checked."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.audit import Outcome, Ran, Result, checks, exit_code, locks

NOTHING = {
    "pip-audit": json.dumps({"dependencies": [{"name": "a", "version": "1", "vulns": []}]}),
    "audit": json.dumps({"vulnerabilities": {"found": False, "list": []}}),
    "run": '{"config": {"db": "x"}}\n{"progress": {}}',
    "mod": "all modules verified",
}
SOMETHING = {
    "pip-audit": json.dumps(
        {
            "dependencies": [
                {"name": "a", "version": "1", "vulns": [{"id": "V-1", "fix_versions": ["2"]}]}
            ]
        }
    ),
    "audit": json.dumps(
        {
            "vulnerabilities": {
                "list": [
                    {
                        "package": {"name": "b", "version": "1"},
                        "advisory": {"id": "V-2", "title": "t"},
                    }
                ]
            }
        }
    ),
    "run": '{"config": {}}{"finding": {"osv": "V-3", "fixed_version": "v2", '
    '"trace": [{"module": "c", "version": "v1", "function": "F"}]}}',
}
BROKEN = {
    "no answer": ("", "no route to host"),
    "no JSON": ("<html>", ""),
    "another JSON": ("{}", ""),
    "a list": ("[]", ""),
}


def outcomes(said: Mapping[str, Ran]) -> list[Result]:
    def run(command: Sequence[str], _folder: Path) -> Ran:
        return next(ran for word, ran in said.items() if word in command)

    return list(checks(run))


def test_clean_is_said_only_if_everything_was_checked() -> None:
    found = outcomes({word: Ran(code=0, out=out, err="") for word, out in NOTHING.items()})
    assert len(found) == len(locks()) + 3
    assert {each.outcome for each in found} == {Outcome.CLEAN}
    assert exit_code(found) == 0


def test_what_is_known_is_said() -> None:
    said = {word: Ran(code=1, out=out, err="") for word, out in SOMETHING.items()}
    said["run"] = Ran(code=0, out=SOMETHING["run"], err="")
    said["mod"] = Ran(code=1, out="", err="d v1: dir has been modified")
    found = outcomes(said)
    assert {each.outcome for each in found} == {Outcome.FOUND}
    assert [each.details[0].split(":")[0] for each in found] == [
        *["a 1"] * len(locks()),
        "b 1",
        "c v1",
        "d v1",
    ]
    assert exit_code(found) == 1


@pytest.mark.parametrize(("out", "err"), BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("code", [0, 1, 127])
def test_no_answer_is_no_clean_bill(code: int, out: str, err: str) -> None:
    said = {word: Ran(code=code, out=out, err=err) for word in NOTHING}
    said["mod"] = Ran(code=1, out=out, err=err)
    found = outcomes(said)
    assert {each.outcome for each in found} == {Outcome.UNCHECKED}
    assert all(each.details for each in found)
    assert exit_code(found) == 3


def test_a_package_that_was_passed_over_is_unchecked() -> None:
    answer = json.dumps({"dependencies": [{"name": "a", "skip_reason": "not on the index"}]})
    said = {word: Ran(code=0, out=out, err="") for word, out in NOTHING.items()}
    found = outcomes({**said, "pip-audit": Ran(code=0, out=answer, err="")})
    assert found[0].outcome is Outcome.UNCHECKED
    assert "not on the index" in found[0].details[0]
    assert exit_code(found) == 3


def test_what_was_found_weighs_more_than_what_was_not_checked() -> None:
    found = [Result(what=each.name, outcome=each) for each in Outcome]
    assert exit_code(found) == 1

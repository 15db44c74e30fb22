"""`summary.json` and the schema that is published for it."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pandas as pd
import pytest

import python_runner.report
from python_runner.report.contents import Reported, reported
from python_runner.report.summary_json import SCHEMA_VERSION, summary_json
from tests.unit.report.contents.told import comparison, load, renumbered

SCHEMA = Path(python_runner.report.__file__).parent / "schema" / "summary.schema.json"


@cache
def validator() -> jsonschema.Draft202012Validator:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@cache
def of_comparison(case: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(summary_json([comparison(case)]))
    return found


@pytest.mark.parametrize(
    "case", ["one", "four", "both ways", "troubled", "only failures", "nothing started"]
)
def test_comparisons_hold_the_schema(case: str) -> None:
    validator().validate(of_comparison(case))


@pytest.mark.parametrize("case", ["four", "open", "troubled", "nothing started", "no stack"])
def test_loads_hold_the_schema(case: str) -> None:
    validator().validate(json.loads(summary_json([load(case)])))


def test_several_runs_hold_the_schema() -> None:
    first = comparison("two")
    found = json.loads(summary_json([first, renumbered(first, 9), load("four")]))
    validator().validate(found)
    assert [run["run_id"] for run in found["runs"]] == [7, 9, 8]
    (change,) = found["changes"]
    assert (change["before_run_id"], change["after_run_id"]) == (7, 9)


_MAPS = ("build", "stages_ms", "study_as_kept", "verdicts", "targets_ms", "not_judged")
"""Objects whose keys are the user's."""


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where objects with fields of their own lie."""
    if isinstance(value, dict):
        known = [key for key in value if key not in _MAPS]
        return [path, *(each for key in known for each in places(value[key], (*path, key)))]
    if isinstance(value, list) and value:
        return places(value[0], (*path, 0))
    return []


@pytest.mark.parametrize("is_load", [False, True])
def test_an_unknown_field_is_refused_wherever_it_stands(*, is_load: bool) -> None:
    found = json.loads(summary_json([load("four") if is_load else comparison("both ways")]))
    where = places(found)
    assert len(where) > 5
    for path in where:
        changed = copy.deepcopy(found)
        inner = changed
        for key in path:
            inner = inner[key]
        inner["surprise"] = 1
        assert not validator().is_valid(changed), path


def test_a_missing_field_is_refused() -> None:
    changed = copy.deepcopy(of_comparison("two"))
    del changed["runs"][0]["stacks"][0]["e2e_ms"]
    assert not validator().is_valid(changed)


def test_the_way_to_somebody_elses_server_is_told_apart() -> None:
    run = load("four")
    reading = {
        "when": "before",
        "name_ns": 1_000_000,
        "tcp_ns": 2_000_000,
        "tls_ns": 0,
        "round_trip_ns": 4_000_000,
        "error": "",
    }
    readings = [[reading, {**reading, "when": "after"}], *([[]] * (len(run.data.conditions) - 1))]
    conditions = run.data.conditions.assign(
        network=pd.Series(readings, index=run.data.conditions.index)
    )
    seen = replace(run, data=replace(run.data, conditions=conditions))
    found = json.loads(summary_json([seen]))
    validator().validate(found)
    first, *others = (stack["network"] for stack in found["runs"][0]["stacks"])
    assert (first["connect_ms"], first["round_trip_ms"], first["tls_ms"]) == (3, 4, 0)
    assert (first["n"], first["n_failed"], first["error"]) == (2, 0, None)
    assert first["has_changed"] is False
    assert set(others) == {None}


@pytest.mark.parametrize("is_load", [False, True])
def test_a_run_in_parts_says_so(*, is_load: bool) -> None:
    run = load("four") if is_load else comparison("one")
    entry: dict[str, Any] = {
        "at": "2026-11-21T21:40:00+00:00",
        "cut": [2],
        "again": {"ollama": "died"},
    }
    times = [{**entry, "last_seen": "2026-11-21T21:10:00+00:00"}, {**entry, "last_seen": None}]
    assert json.loads(summary_json([run]))["runs"][0]["resumed"] == []
    found = json.loads(summary_json([went_on(run, times)]))
    validator().validate(found)
    first, second = found["runs"][0]["resumed"]
    assert (first["at"], first["last_seen"]) == (entry["at"], "2026-11-21T21:10:00+00:00")
    assert (first["cut"], first["tried_again"]) == ([2], {"ollama": "died"})
    assert second["last_seen"] is None


def went_on(run: Reported, times: list[dict[str, Any]]) -> Reported:
    kept = pd.Series([times], dtype=object)
    return reported(replace(run.frames, runs=run.frames.runs.assign(resumed=kept)))


def test_the_schema_names_its_version() -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    assert schema["properties"]["schema_version"] == {"const": SCHEMA_VERSION}
    assert schema["$id"].endswith(f":{SCHEMA_VERSION}")


def test_what_is_not_known_is_null() -> None:
    stacks = {one["stack"]: one for one in of_comparison("troubled")["runs"][0]["stacks"]}
    never = stacks["transformers"]
    assert never["e2e_ms"] is None
    assert never["load_s"] is None
    assert never["version"] is None
    assert never["n"] == 0
    assert "SIGILL" in never["error"]


def test_figures_are_those_of_the_report() -> None:
    run = of_comparison("two")["runs"][0]
    summary = comparison("two").data.summary.set_index("stack")
    for stack in run["stacks"]:
        assert stack["e2e_ms"] == pytest.approx(summary.loc[stack["stack"], "e2e_ms"])
    pair = next(one for one in run["pairs"] if one["metric"] == "e2e_ms")
    assert (pair["stack_left"], pair["verdict"]) == ("ollama", "slower")
    assert run["answer"][0].startswith("llama.cpp")
    assert run["marks"] == ["random weights"]

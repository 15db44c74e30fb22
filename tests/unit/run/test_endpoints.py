"""Endpoints among the stacks of a study: found without asking anybody, and told from engines."""

from __future__ import annotations

from pathlib import Path

import pytest

from python_runner.common.errors import UnfairError, UsageError
from python_runner.engines.contract import LaunchSettings
from python_runner.engines.mock import CPP
from python_runner.engines.outside import Outside, OutsideEngine
from python_runner.engines.table import engine
from python_runner.measure.facts import Known
from python_runner.measure.fairness import Equality, facts_of, findings_of, require_fair
from python_runner.run.endpoints import engines_of, refuse_endpoints, started_here
from python_runner.study import Study
from tests.unit.builders import settings, study


def with_endpoint(name: str = "hosted", **table: object) -> Study:
    found = study(stacks=("mock-cpp", name)).model_dump()
    tables = {name: {"url": "https://h/v1", "model": "m", **table}}
    return Study.model_validate({**found, "endpoints": tables})


def hosted(name: str = "hosted") -> OutsideEngine:
    found = engines_of(with_endpoint(name))[name]
    assert isinstance(found, OutsideEngine)
    return found


def known(candidate: OutsideEngine, given: LaunchSettings) -> Known:
    return Known(spec=candidate.spec, settings=candidate.settings_for(given))


def test_an_endpoint_is_a_stack_that_is_not_started_here() -> None:
    found = engines_of(with_endpoint(tokenizer="t", timeout="2min"))
    assert found["mock-cpp"] is engine("mock-cpp")
    assert list(started_here(found)) == ["mock-cpp"]
    outside = hosted().outside
    assert isinstance(outside, Outside)
    assert (outside.url, outside.title) == ("https://h/v1/completions", "hosted")
    (there,) = (one for one in found.values() if isinstance(one, OutsideEngine))
    assert (there.outside.tokenizer, there.outside.timeout_s) == (Path("t"), 120.0)


def test_a_key_that_is_not_set_and_the_name_of_an_engine() -> None:
    with pytest.raises(UsageError, match="variable is not set"):
        engines_of(with_endpoint(api_key_env="NOT_THERE_AT_ALL"))
    with pytest.raises(UsageError, match="ollama is an engine"):
        engines_of(with_endpoint("ollama"))


def test_a_load_is_put_on_it_by_its_address() -> None:
    with pytest.raises(UsageError, match="hosted is an endpoint") as raised:
        refuse_endpoints(engines_of(with_endpoint()))
    assert "--url" in raised.value.hint


def test_what_is_not_known_of_it_is_not_taken_for_equal() -> None:
    given = settings()
    facts = {
        "mock": facts_of(Known(spec=CPP.spec, settings=given)),
        "hosted": facts_of(known(hosted(), given)),
    }
    with pytest.raises(UnfairError, match="device"):
        require_fair(facts)
    assert require_fair(facts, ["device"]) == ("device",)
    found = {finding.criterion.key: finding.equality for finding in findings_of(facts)}
    for key in ("weights", "precision", "threads", "context", "slots"):
        assert found[key] is Equality.UNKNOWN, key


def test_two_endpoints_differ_from_each_other_too() -> None:
    facts = {name: facts_of(known(hosted(name), settings())) for name in ("one", "two")}
    with pytest.raises(UnfairError, match="one's own, not known"):
        require_fair(facts)

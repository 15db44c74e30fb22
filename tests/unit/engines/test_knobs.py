"""The knobs that engines have of their own."""

from __future__ import annotations

import os
from pathlib import Path

import psutil
import pytest

from python_runner.common.errors import EngineStartError, UsageError
from python_runner.engines.contract import Engine
from python_runner.engines.hf import engine as hf_transformers
from python_runner.engines.ollama import engine as ollama
from python_runner.engines.ollama import go_driver
from python_runner.engines.ollama.server import Runner, server_environment
from python_runner.engines.ollama.store import OllamaStore
from python_runner.engines.ollama.variant import _collector
from python_runner.engines.table import engine, engine_names
from python_runner.engines.tuning import Tunable
from python_runner.engines.variants import all_knobs
from tests.unit.engines.helpers import settings_for

COLLECTED = ("ollama", "ollama-go-engine", "go-driver", "go-driver-go-engine")


@pytest.mark.parametrize("name", engine_names())
def test_every_knob_says_what_it_does(name: str) -> None:
    assert all(all_knobs(engine(name)).values())


@pytest.mark.parametrize("name", COLLECTED)
@pytest.mark.parametrize("gogc", ["off", "100", "25"])
def test_gos_collector_has_one_grammar_everywhere(name: str, gogc: str) -> None:
    plain = engine(name)
    found = engine(f"{name}@gogc={gogc}")
    assert isinstance(found, Tunable), "knobs can be turned on top of knobs"
    assert found.spec.title == f"{plain.spec.title}, GOGC {gogc}"
    assert found.spec.plain_title == plain.spec.title


@pytest.mark.parametrize("name", COLLECTED)
@pytest.mark.parametrize("gogc", ["fast", "0", "1e3"])
def test_what_go_would_not_understand_is_refused(name: str, gogc: str) -> None:
    with pytest.raises(UsageError, match="gogc cannot be"):
        engine(f"{name}@gogc={gogc}")


def test_gogc_reaches_ollamas_server_and_nothing_else_of_the_users_does(tmp_path: Path) -> None:
    def gogc_of(tuned: Engine) -> str:
        assert isinstance(tuned, ollama.OllamaEngine)
        return server_environment(
            ["GOGC"],
            OllamaStore(tmp_path),
            settings_for(tmp_path),
            4711,
            go_engine=False,
            go_runtime=tuned.variant.go_runtime,
        )["GOGC"]

    assert gogc_of(engine("ollama@gogc=off")) == "off"
    assert gogc_of(engine("ollama")) == ""


def test_what_the_runner_was_given_is_what_is_recorded() -> None:
    runner = Runner(process=psutil.Process(), is_go_engine=False)
    as_asked = ollama.ENGINE.variant
    is_set = os.environ.get("GOGC", "")
    if not is_set:
        assert _collector(as_asked, runner, Path("log")) == "100, Go's default"
    other = ollama.ENGINE.tuned({"gogc": "7"}).variant
    with pytest.raises(EngineStartError, match="GOGC"):
        _collector(other, runner, Path("log"))


def test_the_go_drivers_collector(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(go_driver.GOGC_VARIABLE, "50")

    def variables(tuned: go_driver.GoDriver) -> tuple[str, str]:
        found = tuned._variables(settings_for(tmp_path))
        return found["GOGC"], found[go_driver.FORCE_GC_VARIABLE]

    plain = go_driver.ENGINE
    assert variables(plain) == ("50", "")
    assert variables(plain.tuned({"gogc": "off"})) == ("off", "")
    forced = plain.tuned({"gogc": "25", "forced-gc": "on"})
    assert variables(forced) == ("25", "1")
    assert forced.spec.title == "Go driver (C++ engine), GOGC 25, forced collections"
    assert variables(plain.tuned({"forced-gc": "off"})) == ("", ""), "Go's own, not the user's"


def test_pythons_collector(tmp_path: Path) -> None:
    def said(tuned: hf_transformers.TransformersEngine) -> str:
        return tuned._variables(settings_for(tmp_path))["POLYSTACK_PY_GC"]

    off = hf_transformers.ENGINE.tuned({"gc": "off"})
    assert (said(off), off.spec.title) == ("off", "transformers, Python's gc off")
    assert said(hf_transformers.ENGINE.tuned({"gc": "on"})) == ""
    assert said(hf_transformers.ENGINE) == "", "the user's own variable does not count"
    with pytest.raises(UsageError, match="gc cannot be 'auto'"):
        hf_transformers.ENGINE.tuned({"gc": "auto"})

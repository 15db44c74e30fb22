"""What can be told of the Go driver without starting it."""

from __future__ import annotations

import pytest

from python_runner.common.errors import EngineStartError
from python_runner.common.locations import source_root
from python_runner.engines.build import go_driver as build
from python_runner.engines.contract import Language, Reach
from python_runner.engines.ollama.go_driver import (
    ENGINE,
    GO_ENGINE,
    Collector,
    collector_from,
    driver_environment,
)


def test_both_rows_are_go_in_process_and_can_be_told_apart() -> None:
    specs = [ENGINE.spec, GO_ENGINE.spec]
    assert {(spec.language, spec.reach) for spec in specs} == {(Language.GO, Reach.EMBEDDED)}
    assert len({spec.name for spec in specs}) == len({spec.title for spec in specs}) == 2


def test_the_users_own_go_settings_do_not_count() -> None:
    found = driver_environment(
        ["GOGC", "OLLAMA_DEBUG", "GGML_BACKEND_PATH", "LLAMA_ARG_THREADS", "HOME"], Collector()
    )
    emptied = {name for name, value in found.items() if not value}
    assert {"GOGC", "GOMAXPROCS", "GOMEMLIMIT", "GODEBUG"} <= emptied
    assert {"OLLAMA_DEBUG", "GGML_BACKEND_PATH", "LLAMA_ARG_THREADS"} <= emptied
    assert "HOME" not in found


@pytest.mark.parametrize("gogc", ["off", "100", "25"])
def test_the_collector_is_set_by_variables_of_ours(gogc: str) -> None:
    asked = collector_from({"POLYSTACK_GOGC": gogc, "POLYSTACK_GO_FORCE_GC": "1", "GOGC": "7"})
    assert asked == Collector(gogc=gogc, forced=True)
    found = driver_environment([], asked)
    assert found["GOGC"] == gogc
    assert found["POLYSTACK_GO_FORCE_GC"] == "1"


def test_without_them_go_decides() -> None:
    assert collector_from({"GOGC": "7"}) == Collector()


@pytest.mark.parametrize("gogc", ["fast", "-1", "0", "1e3", "100 %"])
def test_what_go_would_not_understand_is_refused(gogc: str) -> None:
    with pytest.raises(EngineStartError, match="GOGC") as raised:
        collector_from({"POLYSTACK_GOGC": gogc})
    assert "off" in raised.value.hint


def test_every_source_of_the_driver_is_part_of_its_hash() -> None:
    module = source_root() / "native" / "go"
    hashed = {path for pattern in build.SOURCES for path in module.glob(pattern)}
    inner = set((module / "internal").rglob("*.go"))
    assert hashed == inner | set((module / "driver").rglob("*.go"))

"""How llama-server is started, and what it is said to be."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from python_runner.common.errors import EngineStartError, UsageError
from python_runner.engines.llama.served import (
    Started,
    foreign_names,
    logged_config_file,
    logged_features,
    server_environment,
)
from python_runner.engines.llama.server import ENGINE, describe, server_arguments
from tests.unit.engines.helpers import settings_for

RECIPE = {
    "commit": "0c1e57098",
    "llama_cpp_python": "0.3.36",
    "compiler": "c++ 12.2",
    "cpu": {"ggml": [], "c": ["-O3"], "rust": [], "instruction_sets": ["avx2"]},
}
STARTED = Started(props={"build_info": "b0-0c1e57098"}, log="")


def arguments(folder: Path, **settings: int) -> list[str]:
    made = server_arguments(folder / "m.gguf", settings_for(folder, **settings), 4711)
    return [str(word) for word in made]


def test_it_has_the_settings_of_the_binding(tmp_path: Path) -> None:
    pairs = set(pairwise(arguments(tmp_path, threads=3, context=64)))
    assert pairs >= {
        ("-m", str(tmp_path / "m.gguf")),
        ("-t", "3"),
        ("-tb", "3"),
        ("-c", "64"),
        ("-b", "64"),
        ("-ub", "64"),
        ("-np", "1"),
        ("-fa", "off"),
        ("-ctk", "f16"),
        ("-ctv", "f16"),
        ("--device", "none"),
    }


def test_a_long_prompt_is_computed_in_pieces_as_in_the_binding(tmp_path: Path) -> None:
    pairs = set(pairwise(arguments(tmp_path, context=4096)))
    assert pairs >= {("-b", "4096"), ("-ub", "512")}


def test_nothing_of_a_prompt_is_kept(tmp_path: Path) -> None:
    words = arguments(tmp_path)
    assert "--no-cache-prompt" in words
    assert set(pairwise(words)) >= {("--cache-ram", "0"), ("--ctx-checkpoints", "0")}


def test_it_is_reached_from_this_machine_only(tmp_path: Path) -> None:
    words = arguments(tmp_path)
    assert set(pairwise(words)) >= {("--host", "127.0.0.1"), ("--port", "4711")}
    assert {"--offline", "--no-ui"} <= set(words)


def test_the_users_own_settings_of_llama_cpp_do_not_count() -> None:
    inherited = ["LLAMA_ARG_THREADS", "LLAMA_API_KEY", "AIP_MODE", "LLAMAFILE", "PATH"]
    assert foreign_names(inherited) == {"LLAMA_ARG_THREADS", "LLAMA_API_KEY", "AIP_MODE"}
    assert server_environment(3)["XDG_CONFIG_HOME"] == "/dev/null"
    assert server_environment(3)["OMP_NUM_THREADS"] == "3"


def test_it_says_what_it_stands_for_and_how_it_was_built(tmp_path: Path) -> None:
    found = describe(RECIPE, STARTED, "AVX AVX2", settings_for(tmp_path, context=64))
    assert found.version == "0c1e57098"
    assert found.build["stands in for"] == "llamafile"
    assert found.build["compiler"] == "c++ 12.2"
    assert found.build["flags"]
    assert found.build["instruction sets"] == "AVX AVX2"
    assert found.build["prompt cache"] == "off"
    assert found.build["prompt tokens computed at once"] == "64"
    assert "config file" not in found.build


def test_a_config_file_that_it_read_is_told(tmp_path: Path) -> None:
    log = "0.00 I cmn  using config file: /etc/llama.cpp/config.ini\n"
    started = Started(props=STARTED.props, log=log)
    found = describe(RECIPE, started, "", settings_for(tmp_path))
    assert found.build["config file"] == "/etc/llama.cpp/config.ini"
    assert found.build["instruction sets"] == "not known"


@pytest.mark.parametrize("props", [{}, {"build_info": "b0-1234567"}])
def test_another_build_is_not_measured(tmp_path: Path, props: dict[str, str]) -> None:
    with pytest.raises(EngineStartError, match="0c1e57098 was built"):
        describe(RECIPE, Started(props=props, log=""), "", settings_for(tmp_path))


def test_the_features_that_the_last_server_logged() -> None:
    log = """
    system_info: n_threads = 2 | CPU : SSE3 = 1 | AMX_INT8 = 0 | REPACK = 1 |
    {"msg":"system info","system_info":"AVX = 1 | AVX_VNNI = 0 | AVX2 = 1 | F16C = 1 | "}
    something else
    """
    assert logged_features(log) == "AVX AVX2 F16C"
    assert logged_features("nothing") == ""
    assert logged_config_file("nothing") == ""


def test_its_prompt_cache_is_a_knob(tmp_path: Path) -> None:
    on, off = (ENGINE.tuned({"prompt-cache": state}) for state in ("on", "off"))
    assert on.spec.name == "llama-server@prompt-cache=on"
    assert on.spec.title == "llama-server, prompt cache on"
    assert off.spec.title == "llama-server, prompt cache off"
    with pytest.raises(UsageError, match="prompt-cache"):
        ENGINE.tuned({"prompt-cache": "half"})
    words = server_arguments(tmp_path / "m.gguf", settings_for(tmp_path), port=4711, caches=True)
    assert {"--cache-prompt", "--swa-full"} <= set(words)
    assert set(pairwise(words)) >= {("--cache-ram", "0")}, "only what the slot holds anyway"
    found = describe(RECIPE, STARTED, "", settings_for(tmp_path), caches=True)
    assert found.build["prompt cache"].startswith("on")

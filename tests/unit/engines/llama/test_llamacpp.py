"""The C++ stack's Python side, with a binding on paper."""

import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import numpy as np
import pytest

from python_runner.common.build.cpu import CpuFlags
from python_runner.common.build.toolchain import Compilers
from python_runner.common.errors import GenerationError
from python_runner.engines.build import llamacpp as build
from python_runner.engines.contract import EngineDescription, StopReason
from python_runner.engines.llama import llamacpp
from tests.unit.engines.helpers import request_for

SYSTEM_INFO = "CPU : SSE3 = 1 | AVX2 = 1 | AMX_INT8 = 0 | LLAMAFILE = 1 | OPENMP = 1 | "
DESCRIPTION = EngineDescription(version="llama.cpp 1234567", build={})
FLAGS = CpuFlags(
    ggml=("-DGGML_NATIVE=OFF", "-DGGML_AVX2=ON"),
    c=("-O3", "-march=native"),
    rust=("-Ctarget-cpu=native",),
    instruction_sets=("avx2", "fma"),
)
RECIPE = {
    "commit": "0c1e57098",
    "llama_cpp_python": "0.3.36",
    "compiler": "c++ 12.2",
    "cpu": FLAGS.recipe(),
}


class PaperError(RuntimeError):
    """Stands for polystack_llama.LlamaError."""


@dataclass
class PaperAnswer:
    ids: np.ndarray = field(default_factory=lambda: np.array([7, 8], dtype=np.int64))
    token_ns: np.ndarray = field(default_factory=lambda: np.array([150, 170], dtype=np.int64))
    stopped: bool = False
    requested_ns: int = 100
    prefill_end_ns: int = 140
    decode_ns: int = 18
    sample_ns: int = 12
    ended_ns: int = 171


@dataclass
class PaperModel:
    """Answers what it was made with and remembers what it was asked."""

    answer: PaperAnswer = field(default_factory=PaperAnswer)
    error: str = ""
    asked: dict[str, object] = field(default_factory=dict)

    def generate(self, prompt_ids: tuple[int, ...], **options: object) -> PaperAnswer:
        if self.error:
            raise PaperError(self.error)
        self.asked = {"prompt_ids": prompt_ids, **options}
        return self.answer

    def tokenize(self, text: str, *, add_bos: bool) -> list[int]:
        return [2, len(text)] if add_bos else [len(text)]

    def detokenize(self, ids: tuple[int, ...]) -> bytes:
        return b"caf\xc3"


@pytest.fixture(autouse=True)
def binding(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("polystack_llama")
    module.__dict__["LlamaError"] = PaperError
    monkeypatch.setitem(sys.modules, "polystack_llama", module)


def loaded(model: PaperModel) -> llamacpp.LlamaModel:
    return llamacpp.LlamaModel(cast("Any", model), lambda: DESCRIPTION)


def test_an_answer_is_handed_on_as_it_came(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(llamacpp, "now_ns", lambda: 180)
    paper = PaperModel()
    answer = loaded(paper).generate(request_for(2, 5, 6, new_tokens=2))

    assert paper.asked == {"prompt_ids": (2, 5, 6), "new_tokens": 2, "ignore_eos": True}
    assert answer.requested_ns == 100
    assert answer.chunk_ns == (150, 170)
    assert answer.chunk_tokens == (1, 1)
    assert answer.ended_ns == 180  # the text is there
    assert answer.prompt_tokens == 3
    assert answer.output_tokens == 2
    assert answer.token_ids == (7, 8)
    assert answer.stop is StopReason.LENGTH
    assert answer.engine_timings == {
        "tokenise_ns": 0.0,
        "prefill_ns": 40.0,
        "decode_ns": 18.0,
        "sample_ns": 12.0,
        "detokenise_ns": 9.0,
    }
    assert all(type(number) is int for number in (*answer.chunk_ns, *answer.token_ids))


def test_an_answer_may_end_within_a_character() -> None:
    assert loaded(PaperModel()).generate(request_for(2)).text == "caf\N{REPLACEMENT CHARACTER}"


def test_an_early_end_is_said() -> None:
    paper = PaperModel(answer=PaperAnswer(stopped=True))
    answer = loaded(paper).generate(request_for(2, ignore_end_of_sequence=False))

    assert paper.asked["ignore_eos"] is False
    assert answer.stop is StopReason.END_OF_SEQUENCE


def test_a_failed_request_is_an_error_of_ours() -> None:
    with pytest.raises(GenerationError, match=r"llama\.cpp: no memory"):
        loaded(PaperModel(error="no memory")).generate(request_for(2))


def test_ids_of_a_text_begin_with_bos() -> None:
    assert loaded(PaperModel()).token_ids("four") == (2, 4)


def test_the_description_is_kept() -> None:
    assert loaded(PaperModel()).description is DESCRIPTION


def test_the_version_is_the_commit() -> None:
    assert llamacpp.version_text(RECIPE) == "0c1e57098"
    assert llamacpp.build_text(RECIPE)["source"] == "llama-cpp-python 0.3.36"


def test_without_a_commit_the_package_names_the_version() -> None:
    assert llamacpp.version_text({**RECIPE, "commit": ""}) == "in llama-cpp-python 0.3.36"


def test_only_what_is_compiled_in_is_listed() -> None:
    assert llamacpp.instruction_sets(SYSTEM_INFO) == "SSE3 AVX2 LLAMAFILE OPENMP"
    assert llamacpp.instruction_sets("") == ""


def test_the_build_is_described_in_words() -> None:
    described = llamacpp.build_text(RECIPE)

    assert described["compiler"] == "c++ 12.2"
    assert described["flags"] == "-O3 -march=native"
    assert described["ggml options"] == "-DGGML_NATIVE=OFF -DGGML_AVX2=ON"
    assert described["compiled for"] == "avx2 fma"
    assert described["flash attention"] == "off"


def test_the_build_neither_asks_the_net_nor_git() -> None:
    compilers = Compilers(c="/bin/cc", cxx="/bin/c++", version="c++ 12.2")
    settings = build.cmake_settings(compilers, FLAGS, "0c1e57098")

    for argument in (
        "-DLLAMA_OPENSSL=OFF",
        "-DLLAMA_USE_PREBUILT_UI=OFF",
        "-DLLAMA_BUILD_COMMIT=0c1e57098",
        "-DCMAKE_CXX_COMPILER=/bin/c++",
        f"-DCMAKE_C_FLAGS={' '.join(FLAGS.c)}",
    ):
        assert argument in settings


def test_programs_lie_beside_the_libraries_that_they_need(tmp_path: Path) -> None:
    built, folder = tmp_path / "built", tmp_path / "prefix"
    for made in (built, folder / "bin", folder / "lib"):
        made.mkdir(parents=True)
    for name in (*build.PROGRAMS, "libllama.so.0.5", "libllama-bench-impl.so"):
        (built / name).write_text("built")
    (folder / "lib" / "libllama.so.0.5").write_text("installed")

    build._place_programs(built, folder)

    assert {p.name for p in (folder / "bin").iterdir()} == set(build.PROGRAMS)
    assert (folder / "lib" / "libllama.so.0.5").read_text() == "installed"
    assert (folder / "lib" / "libllama-bench-impl.so").exists()

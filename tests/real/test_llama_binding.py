"""Our binding to llama.cpp on the tiny model."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from python_runner.common.build.extension import import_extension
from python_runner.common.build.toolchain import c_compilers
from python_runner.common.locations import source_root
from python_runner.common.progress import SilentProgress
from python_runner.engines.build.llamacpp import PROGRAMS, llama_binding, llama_cpp_prefix
from python_runner.models import prepare_model

if TYPE_CHECKING:
    import polystack_llama

CONTEXT = 256
NATIVE = source_root() / "native" / "cpp"
LINE = "red fox, blue jar, red fox, blue jar, red fox,"


@pytest.fixture(scope="module")
def binding() -> Path:
    """The folder of the built binding, which can be imported from here on."""
    folder = llama_binding(SilentProgress())
    import_extension(folder, "polystack_llama")
    return folder


@pytest.fixture(scope="module")
def weights() -> Path:
    """The tiny model's GGUF file."""
    return prepare_model("gemma-2-tiny", {"bf16"}, SilentProgress()).gguf["bf16"]


@pytest.fixture(scope="module")
def model(binding: Path, weights: Path) -> polystack_llama.Model:
    import polystack_llama

    return polystack_llama.Model(str(weights), threads=2, context=CONTEXT)


def test_a_text_comes_back_from_its_ids(model: polystack_llama.Model) -> None:
    text = "naïve 日本\t 12\n  😀"
    ids = model.tokenize(text, add_bos=False)

    assert model.detokenize(ids) == text.encode()
    assert model.tokenize(text, add_bos=True)[1:] == ids


def test_markers_are_one_token(model: polystack_llama.Model) -> None:
    ids = model.tokenize("<start_of_turn>", add_bos=False)

    assert len(ids) == 1
    assert model.detokenize(ids) == b"<start_of_turn>"


def test_a_text_of_nothing_has_no_ids(model: polystack_llama.Model) -> None:
    assert model.tokenize("", add_bos=False) == []
    assert len(model.tokenize("", add_bos=True)) == 1


def test_a_vocabulary_reads_like_the_model_that_it_is_from(
    model: polystack_llama.Model, weights: Path
) -> None:
    import polystack_llama

    vocabulary = polystack_llama.Vocabulary(str(weights))
    for add_bos in (True, False):
        expected = model.tokenize(LINE, add_bos=add_bos)
        assert vocabulary.tokenize(LINE, add_bos=add_bos) == expected
    with pytest.raises(polystack_llama.LlamaError, match="cannot load"):
        polystack_llama.Vocabulary("nothing.gguf")


def test_an_answer_has_a_stamp_for_every_token(model: polystack_llama.Model) -> None:
    prompt = model.tokenize(LINE, add_bos=True)
    before = time.monotonic_ns()
    answer = model.generate(prompt, new_tokens=24, ignore_eos=True)
    after = time.monotonic_ns()

    assert answer.ids.shape == answer.token_ns.shape == (24,)
    assert answer.ids.dtype == answer.token_ns.dtype == np.int64
    assert not answer.stopped
    assert (np.diff(answer.token_ns) > 0).all()
    assert before <= answer.requested_ns <= answer.prefill_end_ns <= answer.token_ns[0]
    assert answer.token_ns[-1] <= answer.ended_ns <= after
    assert answer.margins.size == 0


def test_nothing_of_an_answer_is_kept(model: polystack_llama.Model) -> None:
    prompt = model.tokenize(LINE, add_bos=True)
    first = model.generate(prompt, new_tokens=16, ignore_eos=True)
    model.generate(prompt[:3], new_tokens=40, ignore_eos=True)
    again = model.generate(prompt, new_tokens=16, ignore_eos=True)

    assert first.ids.tolist() == again.ids.tolist()


@pytest.mark.parametrize(("use_mmap", "keep_threads"), [(False, True), (True, False)])
def test_neither_file_nor_threads_change_the_answer(
    model: polystack_llama.Model, weights: Path, use_mmap: bool, keep_threads: bool
) -> None:
    import polystack_llama

    prompt = model.tokenize(LINE, add_bos=True)
    expected = model.generate(prompt, new_tokens=16, ignore_eos=True)
    other = polystack_llama.Model(
        str(weights),
        threads=2,
        context=CONTEXT,
        use_mmap=use_mmap,
        keep_threads=keep_threads,
    )

    found = other.generate(prompt, new_tokens=16, ignore_eos=True)

    assert found.ids.tolist() == expected.ids.tolist()


def test_margins_do_not_change_the_answer(model: polystack_llama.Model) -> None:
    prompt = model.tokenize(LINE, add_bos=True)
    plain = model.generate(prompt, new_tokens=16, ignore_eos=True)
    watched = model.generate(prompt, new_tokens=16, ignore_eos=True, want_margins=True)

    assert watched.ids.tolist() == plain.ids.tolist()
    assert watched.margins.shape == (16,)
    assert (watched.margins >= 0).all()


def test_an_answer_may_fill_the_context(model: polystack_llama.Model) -> None:
    word = model.tokenize(" fox", add_bos=False)[0]
    prompt = [*model.tokenize("", add_bos=True), *([word] * (CONTEXT - 9))]

    assert len(model.generate(prompt, new_tokens=8, ignore_eos=True).ids) == 8


def test_python_goes_on_while_tokens_are_made(model: polystack_llama.Model) -> None:
    prompt = model.tokenize(LINE, add_bos=True)
    done = threading.Event()
    turns = 0

    def answer() -> None:
        model.generate(prompt, new_tokens=200, ignore_eos=True)
        done.set()

    thread = threading.Thread(target=answer)
    thread.start()
    while not done.wait(timeout=0.001):
        turns += 1
    thread.join()

    assert turns > 0


@pytest.mark.parametrize(
    ("prompt", "new_tokens", "message"),
    [
        (
            [2] * CONTEXT,
            1,
            rf"{CONTEXT} prompt tokens and 1 new ones are {CONTEXT + 1}.* {CONTEXT}$",
        ),
        ([], 1, "0 prompt tokens"),
        ([2], 0, "asks for 0"),
        ([2, 10_000_000], 1, "token id 10000000 is not in a vocabulary of"),
        ([2, -1], 1, "token id -1"),
    ],
)
def test_an_impossible_request_says_why(
    model: polystack_llama.Model, prompt: list[int], new_tokens: int, message: str
) -> None:
    import polystack_llama

    with pytest.raises(polystack_llama.LlamaError, match=message):
        model.generate(prompt, new_tokens=new_tokens, ignore_eos=True)


def test_a_file_that_is_no_model_says_why(binding: Path, weights: Path, tmp_path: Path) -> None:
    import polystack_llama

    half = tmp_path / "half.gguf"
    half.write_bytes(weights.read_bytes()[: weights.stat().st_size // 2])
    other = tmp_path / "other.gguf"
    other.write_text("not a model")

    for path, reason in (
        (tmp_path / "absent.gguf", "No such file"),
        (other, "magic"),
        (half, "not within the file bounds"),
    ):
        with pytest.raises(polystack_llama.LlamaError, match=reason):
            polystack_llama.Model(str(path), threads=2, context=CONTEXT)


@pytest.mark.parametrize(("threads", "context"), [(0, 64), (2, 0)])
def test_settings_that_make_no_sense_are_refused(
    binding: Path, weights: Path, threads: int, context: int
) -> None:
    import polystack_llama

    with pytest.raises(polystack_llama.LlamaError, match="at least 1"):
        polystack_llama.Model(str(weights), threads=threads, context=context)


def test_a_model_describes_itself(model: polystack_llama.Model, weights: Path) -> None:
    facts = model.describe()

    assert facts.description.startswith("gemma2")
    assert 0 < facts.bytes < weights.stat().st_size
    assert facts.context >= CONTEXT
    assert facts.batch == CONTEXT
    assert 0 < facts.sliding_window < CONTEXT
    assert facts.vocabulary > 256


def test_the_build_describes_itself(binding: Path) -> None:
    import polystack_llama

    assert set(polystack_llama.build_info()) == {"version", "commit", "ggml", "compiler"}
    assert "AMX" not in polystack_llama.system_info()


def test_the_stub_is_what_the_module_is(binding: Path) -> None:
    checked = subprocess.run(
        [
            *(sys.executable, "-m", "mypy.stubtest", "polystack_llama"),
            *("--allowlist", NATIVE / "stubtest-allowlist.txt"),
        ],
        env={**os.environ, "PYTHONPATH": str(binding), "MYPYPATH": str(NATIVE)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout


def test_greedy_decoding_alone(tmp_path: Path) -> None:
    program = tmp_path / "greedy_test"
    sources = [NATIVE / "tests" / "greedy_test.cpp", NATIVE / "src" / "greedy.cpp"]
    compiler = c_compilers("a test").cxx
    warnings = ("-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror")
    subprocess.run([compiler, "-std=c++20", *warnings, *sources, "-o", program], check=True)

    subprocess.run([program], check=True)


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_programs_find_their_libraries(name: str) -> None:
    program = llama_cpp_prefix(SilentProgress()) / "bin" / name
    ended = subprocess.run([program, "--help"], capture_output=True, text=True, check=False)

    assert "usage" in (ended.stdout + ended.stderr).lower()

"""The parts of the CTranslate2 engine that need neither the library nor a model."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from types import SimpleNamespace as Bag
from typing import Any

import numpy as np
import pytest

from python_runner.common.errors import EngineStartError, SetupError, UsageError
from python_runner.common.progress import SilentProgress
from python_runner.engines.contract import GenerateRequest, Generation, StopReason, WeightFormat
from python_runner.engines.ct2 import engine as ct2
from python_runner.engines.ct2.engine import ENGINE, environment, load
from python_runner.engines.ct2.facts import facts_of, left_out, system_facts, window_of
from python_runner.engines.ct2.model import Ct2Model
from python_runner.engines.scoring import ScoreRequest
from python_runner.engines.variants import variant_of
from tests.unit.engines.helpers import request_for, settings_for
from tests.unit.models.test_ct2_file import BF16, INT8, variable, written

LOG = """
[ctranslate2] [thread 7] [info] CPU: GenuineIntel (SSE4.1=true, AVX=true, AVX2=true, AVX512=true)
[ctranslate2] [thread 7] [info]  - Selected ISA: AVX2
[ctranslate2] [thread 7] [info]  - Use Intel MKL: true
[ctranslate2] [thread 7] [info]  - SGEMM backend: MKL (packed: true)
[ctranslate2] [thread 7] [info]  - GEMM_S8 backend: DNNL (packed: false, u8s8 preferred: true)
"""


class Library:
    """Answers with these ids, one call back for each, and keeps what it was asked."""

    def __init__(self, *ids: int) -> None:
        self._ids = ids
        self.asked: dict[str, Any] = {}
        self.prompts: list[list[str]] = []

    def generate_batch(
        self, prompts: list[list[str]], *, callback: Callable[[Any], bool], **asked: Any
    ) -> None:
        self.prompts, self.asked = prompts, asked
        for number in self._ids:
            assert callback(Bag(token_id=number)) is False

    def forward_batch(self, ids: list[list[int]], *, return_log_probs: bool) -> Any:
        assert return_log_probs
        rows = [[-float(piece) - place for piece in range(5)] for place in range(len(ids[0]))]
        return np.array([rows], dtype=np.float32)


def over(library: Library, window: int | None = None) -> Ct2Model:
    tokenizer: Any = Bag(decode=lambda ids: " ".join(map(str, ids)))
    return Ct2Model(
        library,
        pieces=["<pad>", "<eos>", "<bos>", "a", "b"],
        tokenizer=tokenizer,
        end_ids=(1, 4),
        window=window,
        build=lambda: {"compute type": "float32"},
    )


def answer(library: Library, request: GenerateRequest) -> Generation:
    found = over(library).generate(request)
    stamps = [found.requested_ns, *found.chunk_ns, found.ended_ns]
    assert stamps == sorted(stamps)
    assert len(found.chunk_ns) == len(found.chunk_tokens) == found.output_tokens
    return found


def test_a_prompt_goes_in_as_pieces_and_comes_out_as_ids() -> None:
    library = Library(3, 1, 3)
    found = answer(library, request_for(2, 3, 4, new_tokens=3))
    assert library.prompts == [["<bos>", "a", "b"]]
    assert library.asked["max_length"] == 3
    assert library.asked["end_token"] == [], "no token ends it"
    assert not library.asked["include_prompt_in_result"]
    assert (found.prompt_tokens, found.token_ids, found.text) == (3, (3, 1, 3), "3 1 3")
    assert found.stop is StopReason.LENGTH


def test_the_mark_that_ends_an_answer_is_no_part_of_it() -> None:
    library = Library(3, 4)
    found = answer(library, request_for(2, new_tokens=9, ignore_end_of_sequence=False))
    assert library.asked["end_token"] == [1, 4]
    assert found.token_ids == (3,)
    assert found.stop is StopReason.END_OF_SEQUENCE


def test_given_tokens_are_scored_after_what_comes_before_them() -> None:
    found = over(Library()).score(ScoreRequest(prompt_ids=(2, 3), answer_ids=(3, 0), top=2))
    # Rows 1 and 2: what follows the prompt, and what follows its first given token.
    assert found.logprobs == (-4.0, -2.0)
    assert found.top_ids == ((0, 1), (0, 1))
    assert found.top_logprobs == ((-1.0, -2.0), (-2.0, -3.0))


def test_beyond_the_window_tokens_are_scored_one_by_one() -> None:
    class Steps(Library):
        def generate_batch(self, prompts: Any, **asked: Any) -> Any:
            self.prompts, self.asked = prompts, asked
            rows = [np.array([0.0, 1.0, 2.0, 3.0, place]) for place in range(len(prompts[0]))]
            return [Bag(logits=[rows])]

    library = Steps()
    request = ScoreRequest(prompt_ids=(2, 3), answer_ids=(3, 0), top=1)
    found = over(library, window=2).score(request)
    assert library.prompts == [["<bos>", "a", "a"]]
    assert (library.asked["max_length"], library.asked["end_token"]) == (3, [])
    sums = [np.log(np.exp([0.0, 1.0, 2.0, 3.0, place]).sum()) for place in (1, 2)]
    assert found.logprobs == pytest.approx((3.0 - sums[0], -sums[1]), abs=1e-6)
    assert found.top_ids == ((3,), (3,))


def test_a_model_that_was_not_converted_is_told(tmp_path: Path) -> None:
    with pytest.raises(EngineStartError, match="paper was not converted for CTranslate2"):
        load(settings_for(tmp_path))


def test_the_library_tells_what_it_has_chosen() -> None:
    assert system_facts(LOG, is_int8=False) == {
        "instruction sets": "AVX2 in its own kernels",
        "products by": "MKL",
        "weights packed": "yes",
    }
    quantised = system_facts(LOG, is_int8=True)
    assert (quantised["products by"], quantised["weights packed"]) == ("DNNL", "no")
    assert set(system_facts("", is_int8=True).values()) == {"not known"}


def test_what_really_runs_is_the_librarys_word(tmp_path: Path) -> None:
    weights = (variable("a/weight", (3, 4), INT8), variable("norm", (4,), BF16))
    written(tmp_path / "model.bin", *weights)
    eight = facts_of("int8_float32", tmp_path, LOG)
    assert eight["weights in memory"] == "int8 (CTranslate2)"
    assert eight["weights by type"] == "int8 75.0%, f32 25.0%"
    assert eight["weights in the file"] == "int8 75.0%, bf16 25.0%"
    assert eight["activations"] == "f32, 8 bits in products"
    assert eight["KV cache"] == "f32"
    fallen_back = facts_of("int16", tmp_path, LOG)
    assert fallen_back["weights in memory"] == "int16"
    written(tmp_path / "model.bin", variable("a/weight", (3, 4), BF16))
    whole = facts_of("float32", tmp_path, LOG)
    assert (whole["weights in memory"], whole["weights by type"]) == ("f32", "f32 100.0%")


def test_what_is_not_computed_is_told(tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    cap, window = (
        "the soft cap of attention scores (50)",
        "the window of 64 tokens, within a prompt",
    )
    config.write_text(json.dumps({"attn_logit_softcapping": 50.0, "sliding_window": 64}))
    assert left_out(tmp_path) == {"left out": f"{cap}; {window}"}
    config.write_text(json.dumps({"attn_logit_softcapping": 50.0}))
    assert left_out(tmp_path) == {"left out": cap}
    config.write_text(json.dumps({"sliding_window": 64, "use_sliding_window": False}))
    assert left_out(tmp_path) == {}
    assert window_of(tmp_path) is None


def test_amx_is_off_unless_the_user_says_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("MKL_ENABLE_INSTRUCTIONS", "ONEDNN_MAX_CPU_ISA")
    for name in names:
        monkeypatch.delenv(name, raising=False)
    assert environment(settings_for(tmp_path)) == dict(
        zip(names, ("AVX512_E3", "AVX512_CORE_BF16"), strict=True)
    )
    monkeypatch.setenv(names[0], "AVX2")
    assert environment(settings_for(tmp_path))[names[0]] == "AVX2"


@pytest.mark.parametrize(
    ("knob", "value", "variable_set", "title"),
    [
        ("isa", "avx512", {"CT2_FORCE_CPU_ISA": "AVX512"}, "CTranslate2, own kernels in avx512"),
        ("mkl", "off", {"CT2_USE_MKL": "0"}, "CTranslate2, MKL off"),
        ("packed", "off", {"CT2_PACKED_GEMM": "0"}, "CTranslate2, packing off"),
    ],
)
def test_a_knob_is_a_variable_of_the_library(
    knob: str, value: str, variable_set: dict[str, str], title: str
) -> None:
    variant = variant_of(ENGINE, {knob: value})
    assert variant.spec.name == f"ctranslate2@{knob}={value}"
    assert variant.spec.title == title
    assert ct2._variables(variant.spec.name) == variable_set
    with pytest.raises(UsageError):
        variant_of(ENGINE, {knob: "perhaps"})


def memory_of(found: WeightFormat) -> float:
    """Bytes of memory for a byte of weights, which is known of every precision."""
    assert found.memory_per_weight_byte is not None
    return found.memory_per_weight_byte


def test_without_packing_it_takes_half_the_memory() -> None:
    usual = ENGINE.spec.formats
    for knobs in ({"packed": "off"}, {"mkl": "off"}):
        lean = variant_of(ENGINE, knobs).spec.formats
        for word, each in lean.items():
            assert memory_of(each) < memory_of(usual[word])
    assert variant_of(ENGINE, {"isa": "avx2"}).spec.formats == usual


def test_without_a_knob_the_library_chooses() -> None:
    assert ct2._variables(ENGINE.spec.name) == {}
    both = variant_of(variant_of(ENGINE, {"mkl": "off"}), {"isa": "generic"})
    assert ct2._variables(both.spec.name) == {"CT2_USE_MKL": "0", "CT2_FORCE_CPU_ISA": "GENERIC"}


def test_a_missing_package_is_a_setup_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(ct2, "version", version)
    with pytest.raises(SetupError, match="ctranslate2"):
        ct2.prepare(SilentProgress())

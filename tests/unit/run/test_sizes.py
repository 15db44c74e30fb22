"""What a study takes is told before it starts, and refused where it cannot fit."""

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from python_runner.common.errors import ModelError
from python_runner.common.progress import SilentProgress
from python_runner.engines.contract import Engine, WeightFormat
from python_runner.engines.mock import MockEngine, MockScript
from python_runner.engines.table import engine
from python_runner.models import Source, require_model
from python_runner.models.source import listed_source
from python_runner.run import sizes
from python_runner.run.sizes import needs_of, refuse_what_cannot_fit, tell
from tests.unit.builders import spec, study

GB = 10**9


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Source:
    """The 2B, of which nothing is on this disk."""
    monkeypatch.setenv("POLYSTACK_CACHE", str(tmp_path / "cache"))
    return listed_source(require_model("gemma-2-2b-synthetic"))


def machine(monkeypatch: pytest.MonkeyPatch, *, disk: float = 100, memory: float = 100) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=int(disk * GB)))
    monkeypatch.setattr(sizes, "available_memory", lambda: int(memory * GB))


def stacks(*names: str) -> Mapping[str, Engine]:
    return {name: engine(name) for name in names}


def test_all_forms_count_together(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    needs = needs_of(source, study(), stacks("ollama", "transformers"))
    assert [each.form for each in needs.to_write] == ["safetensors", "GGUF"], "Ollama's is linked"
    machine(monkeypatch, disk=10)
    with pytest.raises(ModelError, match=r"needs 10\.8 GB in .* \(safetensors and GGUF\), and 10"):
        refuse_what_cannot_fit(source, needs)
    machine(monkeypatch, disk=11)
    assert refuse_what_cannot_fit(source, needs) == {}


def test_what_nobody_reads_is_not_made(source: Source) -> None:
    needs = needs_of(source, study(), stacks("transformers"))
    assert [each.form for each in needs.to_write] == ["safetensors"]


def test_what_ctranslate2_reads_counts_as_well(source: Source) -> None:
    engines = stacks("llama.cpp", "ctranslate2")
    forms = {
        word: [each.form for each in needs_of(source, study(precision=word), engines).to_write]
        for word in ("bf16", "8bit")
    }
    assert forms["bf16"] == ["safetensors", "GGUF", "CTranslate2 in bf16"]
    assert forms["8bit"] == ["safetensors", "GGUF", "GGUF in Q8_0", "CTranslate2 in int8"]
    usual, lean = (
        needs_of(source, study(), stacks(name)).memory[name]
        for name in ("ctranslate2", "ctranslate2@packed=off")
    )
    assert lean < usual


def test_each_stack_needs_what_its_format_takes(source: Source) -> None:
    engines = stacks("llama.cpp", "ollama", "mistral.rs", "transformers")
    whole, half, mixed = (
        needs_of(source, study(precision=word), engines) for word in ("bf16", "8bit", "shipped")
    )
    assert [each.form for each in half.to_write] == ["safetensors", "GGUF", "GGUF in Q8_0"]
    assert [each.gguf for each in mixed.to_write] == ["", "bf16", "q4_k_m", "q4_0"]
    for name in ("llama.cpp", "ollama", "mistral.rs"):
        assert half.memory[name] < whole.memory[name]
    assert mixed.memory["ollama"] < half.memory["ollama"]
    assert mixed.memory["transformers"] == whole.memory["transformers"]
    assert half.stack_s < whole.stack_s


def test_a_stack_that_does_not_fit_into_memory_is_left_out(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs = needs_of(source, study(), stacks("llama.cpp", "mistral.rs-wheel"))
    machine(monkeypatch, memory=8)
    (left_out,) = refuse_what_cannot_fit(source, needs).items()
    assert left_out[0] == "mistral.rs-wheel"
    assert "needs about 10.5 GB of memory" in left_out[1]
    assert "8.0 GB are available" in left_out[1]


def test_memory_too_small_for_all_is_an_error(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs = needs_of(source, study(), stacks("llama.cpp", "transformers"))
    machine(monkeypatch, memory=4)
    with pytest.raises(ModelError, match="of memory in transformers") as raised:
        refuse_what_cannot_fit(source, needs)
    assert "--model" in raised.value.hint


def test_it_is_told_before_work_starts(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(SilentProgress, "say", lambda _, message: said.append(message))
    machine(monkeypatch)
    tell(source, needs_of(source, study(), stacks("llama.cpp")), SilentProgress())
    text = "\n".join(said)
    for part in ("safetensors 5.2 GB + GGUF 5.2 GB", "100.0 GB are free", "llama.cpp 5.8 GB"):
        assert part in text
    assert "about 2 min to make it" in text


def test_a_download_has_no_known_time(source: Source, tmp_path: Path) -> None:
    card = require_model("gemma-2-2b-it")
    absent = replace(source, card=card, folder=tmp_path / "not here")
    assert needs_of(absent, study(), stacks("transformers")).making_s is None


def test_small_models_are_not_worth_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SilentProgress, "say", lambda *_: pytest.fail("said something"))
    tiny = listed_source(require_model("gemma-2-tiny"))
    tell(tiny, needs_of(tiny, study(), stacks("llama.cpp")), SilentProgress())


def test_an_engine_may_need_more(source: Source) -> None:
    wide = WeightFormat(name="f32", bits=32, memory_per_weight_byte=3.0)
    greedy = MockEngine(replace(spec(), formats={"bf16": wide}), MockScript())
    needs = needs_of(source, study(), {"greedy": greedy})
    assert needs.memory["greedy"] == 3 * source.bytes

"""A folder of safetensors that somebody else made is looked at before anything is started."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from python_runner.common.errors import ModelError, UnknownNameError, UsageError
from python_runner.common.progress import SilentProgress
from python_runner.models import prepare_model
from python_runner.models.folder import INDEX, inspect_folder
from python_runner.models.source import file_name_of, find_source


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model in two files; nobody could run it."""
    made = tmp_path / "My Llama 1B"
    made.mkdir()
    write_config(made, architectures=["LlamaForCausalLM"])
    (made / "tokenizer.json").write_text("{}")
    save_file({"a": np.zeros((3, 4), np.float16)}, made / "model-1.safetensors")
    save_file({"b": np.zeros(5, np.float16)}, made / "model-2.safetensors")
    weight_map = {"a": "model-1.safetensors", "b": "model-2.safetensors"}
    (made / INDEX).write_text(json.dumps({"weight_map": weight_map}))
    return made


def write_config(folder: Path, **content: Any) -> None:
    (folder / "config.json").write_text(json.dumps(content))


def test_facts_come_from_the_headers(folder: Path) -> None:
    facts = inspect_folder(folder)
    assert facts.architecture == "LlamaForCausalLM"
    assert facts.parameters == 3 * 4 + 5
    assert facts.bytes == sum(path.stat().st_size for path in folder.glob("*.safetensors"))


def test_without_an_index_every_file_counts(folder: Path) -> None:
    (folder / INDEX).unlink()
    assert inspect_folder(folder).parameters == 3 * 4 + 5


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("config.json", r"config\.json is missing"),
        ("tokenizer.json", r"no tokenizer\.json"),
        ("model-2.safetensors", r"model-2\.safetensors is missing"),
    ],
)
def test_a_file_that_is_missing_is_named(folder: Path, file: str, said: str) -> None:
    (folder / file).unlink()
    with pytest.raises(ModelError, match=said):
        inspect_folder(folder)


@pytest.mark.parametrize("keep", [0, 7, 90])
def test_a_file_that_is_cut_short_is_named(folder: Path, keep: int) -> None:
    weights = folder / "model-1.safetensors"
    weights.write_bytes(weights.read_bytes()[:keep])
    with pytest.raises(ModelError, match=r"model-1\.safetensors is damaged or cut short"):
        inspect_folder(folder)


@pytest.mark.parametrize("content", ["[]", "{", "{}"])
def test_a_configuration_that_is_none(folder: Path, content: str) -> None:
    (folder / "config.json").write_text(content)
    with pytest.raises(ModelError, match=r"config\.json"):
        inspect_folder(folder)


def test_quantised_weights_are_refused(folder: Path) -> None:
    write_config(folder, architectures=["X"], quantization_config={"quant_method": "awq"})
    with pytest.raises(ModelError, match=r"quantised.*awq") as raised:
        inspect_folder(folder)
    assert "bf16" in raised.value.hint


def test_an_empty_folder_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no model"):
        find_source(str(tmp_path))


def test_a_path_is_a_model_of_its_own(folder: Path, cache: Path) -> None:
    source = find_source(str(folder))
    assert source.name == "My-Llama-1B"
    assert source.label == "My Llama 1B"
    assert source.folder == folder
    assert not source.is_synthetic
    assert source.record.is_relative_to(cache), "nothing is written into the user's folder"


def test_a_path_without_a_slash_is_found_too(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.parent)
    assert find_source(folder.name).folder == folder


def test_names_of_the_catalogue_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gemma-2-tiny").mkdir()
    monkeypatch.chdir(tmp_path)
    assert find_source("gemma-2-tiny").card is not None


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no model lies at"):
        find_source(str(tmp_path / "nothing"))
    with pytest.raises(UnknownNameError, match="gemma-9"):
        find_source("gemma-9")
    (tmp_path / "notes.txt").touch()
    with pytest.raises(UsageError, match="neither a folder of safetensors nor a GGUF file"):
        find_source(str(tmp_path / "notes.txt"))


def test_a_folder_is_prepared_where_it_lies(folder: Path, cache: Path) -> None:
    before = sorted(path.name for path in folder.iterdir())
    model = prepare_model(str(folder), (), SilentProgress())
    assert model.folder == folder
    assert model.label == "My Llama 1B"
    assert len(model.source_sha256) == 64
    assert sorted(path.name for path in folder.iterdir()) == before
    write_config(folder, architectures=["LlamaForCausalLM"], changed=True)
    again = prepare_model(str(folder), (), SilentProgress())
    assert again.source_sha256 != model.source_sha256


@pytest.mark.parametrize(
    ("text", "name"), [("Llama-3.2 1B", "Llama-3.2-1B"), ("...", "model"), ("a/b:c", "a-b-c")]
)
def test_names_are_fit_for_files(text: str, name: str) -> None:
    assert file_name_of(text) == name

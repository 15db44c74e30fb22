"""What lies on the disk of which model, and that removing takes only what was made here."""

import os
from pathlib import Path

import pytest

from python_runner.common.errors import UnknownNameError
from python_runner.common.progress import SilentProgress
from python_runner.engines.ollama.store import OllamaStore, model_name
from python_runner.models import ModelCard, cards, prepare_model
from python_runner.models.atomic import write_text
from python_runner.models.gguf import GgufRecord, gguf_path
from python_runner.models.ollama_library import manifests
from python_runner.run.inventory import find_on_disk, models_on_disk, remove_forms

_TEMPLATE = "0" * 64


@pytest.fixture
def small(cache: Path, small_card: ModelCard, monkeypatch: pytest.MonkeyPatch) -> ModelCard:
    monkeypatch.setattr(cards, "catalogue", lambda: (small_card,))
    monkeypatch.setattr("python_runner.run.inventory.catalogue", lambda: (small_card,))
    return small_card


@pytest.fixture
def store(tmp_path: Path) -> OllamaStore:
    return OllamaStore(tmp_path / "store")


def make_gguf(name: str = "small", content: bytes = b"GGUF") -> Path:
    path = gguf_path(name, "f" * 64, "bf16")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    record = GgufRecord(source_sha256="f" * 64, converter="1", precision="bf16", size=len(content))
    write_text(path.with_suffix(".json"), record.model_dump_json())
    return path


def take_in(store: OllamaStore, gguf: Path, *, link: bool = True) -> Path:
    """Put a file into the store as Ollama would."""
    sha256 = store.hash_of(gguf)
    blob = store.models / "blobs" / f"sha256-{sha256}"
    blob.parent.mkdir(parents=True, exist_ok=True)
    if link:
        os.link(gguf, blob)
    else:
        blob.write_bytes(gguf.read_bytes())
    template = store.models / "blobs" / f"sha256-{_TEMPLATE}"
    template.write_text("{{ .Prompt }}")
    write_text(
        store.models / "manifests" / "host" / "library" / model_name(sha256) / "latest",
        '{"config": {"mediaType": "a.b", "digest": "sha256:1111"}, "layers": ['
        f'{{"mediaType": "application/vnd.ollama.image.model", "digest": "sha256:{sha256}"}},'
        '{"mediaType": "application/vnd.ollama.image.template", "digest": '
        f'"sha256:{_TEMPLATE}"}}]}}',
    )
    return blob


def test_a_model_that_is_not_here_says_how_to_get_it(small: ModelCard, store: OllamaStore) -> None:
    (model,) = models_on_disk(store)
    assert model.forms == ()
    assert model.how_to_get == "made when needed"


def test_all_forms_are_listed_and_shared_ones_take_no_room(
    small: ModelCard, store: OllamaStore
) -> None:
    prepare_model("small", (), SilentProgress())
    gguf = make_gguf()
    take_in(store, gguf)
    model = find_on_disk("small", store)
    assert [(form.kind, form.is_ours, form.is_shared) for form in model.forms] == [
        ("GGUF", True, False),
        ("safetensors", True, False),
        ("Ollama", True, True),
    ]
    assert model.forms[1].bytes > small.shape.parameters * 2


def test_a_copy_takes_room(small: ModelCard, store: OllamaStore) -> None:
    take_in(store, make_gguf(), link=False)
    assert not find_on_disk("small", store).forms[-1].is_shared


def test_removing_leaves_nothing_and_it_can_be_made_again(
    small: ModelCard, store: OllamaStore, cache: Path
) -> None:
    prepare_model("small", (), SilentProgress())
    gguf = make_gguf()
    blob = take_in(store, gguf)
    freed = remove_forms(find_on_disk("small", store).forms, store)
    assert freed > small.shape.parameters * 2
    assert not gguf.exists()
    assert not blob.exists()
    assert not small.folder.exists()
    assert list(manifests(store.models)) == []
    assert list((store.models / "blobs").iterdir()) == []
    assert find_on_disk("small", store).forms == ()
    assert prepare_model("small", (), SilentProgress()).folder.is_dir()


def test_other_models_of_ollama_keep_their_files(small: ModelCard, store: OllamaStore) -> None:
    take_in(store, make_gguf())
    other = take_in(store, make_gguf("other", b"GGUF of another"))
    remove_forms(find_on_disk("small", store).forms, store)
    assert other.exists()
    assert (store.models / "blobs" / f"sha256-{_TEMPLATE}").exists(), "the template is theirs too"
    assert len(list(manifests(store.models))) == 1


def test_what_the_user_brought_is_not_removed(
    small: ModelCard, store: OllamaStore, tmp_path: Path
) -> None:
    mine = tmp_path / "mine.gguf"
    mine.write_bytes(b"GGUF of mine")
    blob = take_in(store, mine)
    remove_forms(find_on_disk("mine", store).forms, store)
    assert mine.exists()
    assert not blob.exists()


def test_weights_of_an_earlier_generator_are_found(
    small: ModelCard, store: OllamaStore, cache: Path
) -> None:
    old = cache / "models" / f"small-{'0' * 16}"
    old.mkdir(parents=True)
    (old / "model.safetensors").write_bytes(b"old")
    (form,) = find_on_disk("small", store).forms
    assert form.path == old
    remove_forms([form], store)
    assert not old.exists()


def test_the_tiny_model_of_the_checkout_stays(cache: Path, store: OllamaStore) -> None:
    (form,) = find_on_disk("gemma-2-tiny", store).forms
    assert not form.is_ours
    assert remove_forms([form], store) == 0
    assert form.path.is_dir()


def test_an_unknown_model_is_named(small: ModelCard, store: OllamaStore) -> None:
    with pytest.raises(UnknownNameError, match="smal"):
        find_on_disk("smal", store)

"""Published weights: where they are looked for, and that they are what the hub says."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
from huggingface_hub import constants

from python_runner.common.errors import ModelError
from python_runner.common.progress import SilentProgress
from python_runner.models import ModelCard, cards, find_source, prepare_model, prepare_source
from python_runner.models.fingerprint import model_files
from python_runner.models.source import listed_source

TINY = cards.models_dir() / "gemma-2-tiny"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
REPO = "somebody/tiny-it"


@pytest.fixture
def card(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelCard:
    """The tiny model as if it were a published one, and the only one that there is."""
    described = cards.require_model("gemma-2-tiny").model_dump()
    described |= {"name": "tiny-it", "label": "Tiny-it", "sha256": "", "licence": "Tiny Terms"}
    found = ModelCard.model_validate({**described, "hub": {"repo": REPO, "gated": True}})
    monkeypatch.setattr(cards, "catalogue", lambda: (found,))
    monkeypatch.setattr(cards, "models_dir", lambda: tmp_path / "checkout")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(huggingface_hub, "get_token", lambda: "a token")
    monkeypatch.delenv("POLYSTACK_MODELS", raising=False)
    return found


def make_snapshot(hub: Path) -> Path:
    """The tiny model as huggingface_hub lays out what it has fetched."""
    repo = hub / f"models--{REPO.replace('/', '--')}"
    snapshot = repo / "snapshots" / COMMIT
    for folder in (snapshot, repo / "blobs", repo / "refs"):
        folder.mkdir(parents=True)
    (repo / "refs" / "main").write_text(COMMIT)
    for file in model_files(TINY):
        content = file.read_bytes()
        is_large = file.suffix in {".safetensors", ".model"}
        header = b"" if is_large else f"blob {len(content)}\0".encode()
        algorithm = "sha256" if is_large else "sha1"
        blob = repo / "blobs" / hashlib.new(algorithm, header + content).hexdigest()
        blob.write_bytes(content)
        (snapshot / file.name).symlink_to(Path("../../blobs") / blob.name)
    return snapshot


def prepared() -> Any:
    return prepare_model("tiny-it", (), SilentProgress())


def no_fetching(monkeypatch: pytest.MonkeyPatch) -> None:
    original = huggingface_hub.snapshot_download

    def local_only(*args: Any, **options: Any) -> str:
        assert options.get("local_files_only"), "the hub was asked"
        folder: str = original(*args, **options)
        return folder

    monkeypatch.setattr(huggingface_hub, "snapshot_download", local_only)


def test_nothing_is_there_at_first(card: ModelCard) -> None:
    assert not find_source("tiny-it").is_ready


def test_the_hubs_cache_is_used_as_it_lies(
    card: ModelCard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = make_snapshot(tmp_path / "hub")
    no_fetching(monkeypatch)
    assert find_source("tiny-it").is_ready
    model = prepared()
    assert model.folder == snapshot
    assert model.label == "Tiny-it (01234567)", "the revision stands beside every result"


@pytest.mark.parametrize("place", ["checkout", "variable"])
def test_a_folder_of_the_users_comes_before_the_hubs_cache(
    card: ModelCard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    make_snapshot(tmp_path / "hub")
    if place == "variable":
        monkeypatch.setenv("POLYSTACK_MODELS", str(tmp_path / "variable"))
    shutil.copytree(TINY, tmp_path / place / "tiny-it")
    model = prepared()
    assert model.folder == tmp_path / place / "tiny-it"
    assert model.label == "Tiny-it"


def test_a_folder_that_is_not_whole_is_told_and_not_passed_over(
    card: ModelCard, tmp_path: Path
) -> None:
    shutil.copytree(TINY, tmp_path / "checkout" / "tiny-it")
    (tmp_path / "checkout" / "tiny-it" / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="holds no safetensors"):
        prepared()


def test_what_has_not_all_arrived_is_not_there(card: ModelCard, tmp_path: Path) -> None:
    snapshot = make_snapshot(tmp_path / "hub")
    (snapshot / "model.safetensors").unlink()
    assert not find_source("tiny-it").is_ready


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_a_file_that_is_not_what_the_hub_gave_is_refused(
    card: ModelCard, tmp_path: Path, name: str
) -> None:
    blob = (make_snapshot(tmp_path / "hub") / name).resolve()
    content = blob.read_bytes()
    blob.write_bytes(
        content.replace(b"2", b"3", 1) if name == "config.json" else content[:-1] + b"!"
    )
    with pytest.raises(ModelError, match="the hub gives its hash as") as raised:
        prepared()
    assert str(blob) in raised.value.hint


def test_the_manifests_hash_counts_where_it_names_one(card: ModelCard, tmp_path: Path) -> None:
    make_snapshot(tmp_path / "hub")
    strict = ModelCard.model_validate({**card.model_dump(), "sha256": "0" * 64})
    with pytest.raises(ModelError, match="not those of the manifest"):
        prepare_source(listed_source(strict), (), SilentProgress())


def test_without_a_token_nobody_is_asked(card: ModelCard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub, "get_token", lambda: None)
    no_fetching(monkeypatch)
    with pytest.raises(ModelError, match="accepted its licence \\(Tiny Terms\\)") as raised:
        prepared()
    assert REPO in raised.value.hint
    assert "models/tiny-it/" in raised.value.hint


def test_what_is_missing_is_fetched_and_then_used(
    card: ModelCard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = huggingface_hub.snapshot_download
    asked: list[str] = []

    def arriving(repo: str, **options: Any) -> str:
        if not options.get("local_files_only"):
            asked.append(repo)
            make_snapshot(tmp_path / "hub")
            options = {**options, "local_files_only": True}
        folder: str = original(repo, **options)
        return folder

    monkeypatch.setattr(huggingface_hub, "snapshot_download", arriving)
    assert prepared().label == "Tiny-it (01234567)"
    assert asked == [REPO]


def test_the_hubs_refusal_is_passed_on(card: ModelCard, monkeypatch: pytest.MonkeyPatch) -> None:
    def refusing(repo: str, **options: Any) -> str:
        if options.get("local_files_only"):
            raise huggingface_hub.errors.LocalEntryNotFoundError("not here")
        raise OSError("Access to model somebody/tiny-it is restricted.\n\nVisit its page.")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", refusing)
    with pytest.raises(ModelError, match=r"is restricted\.\nVisit its page") as raised:
        prepared()
    assert "hf auth login" in raised.value.hint


def test_the_card_of_the_real_weights_has_the_shape_of_the_synthetic_ones() -> None:
    real, synthetic = map(cards.require_model, ("gemma-2-2b-it", "gemma-2-2b-synthetic"))
    assert real.shape == synthetic.shape
    assert real.hub is not None
    assert real.hub.gated


def test_random_weights_are_not_published(card: ModelCard) -> None:
    described = cards.ModelCard.model_dump(card)
    described |= {"weights": "random", "random": {"seed": 1}, "label": "random weights"}
    with pytest.raises(ValueError, match="published"):
        ModelCard.model_validate_json(json.dumps(described))

"""Making what is missing of a model, without converting anything."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from python_runner.common.errors import ModelError, UnknownNameError, UsageError
from python_runner.common.progress import SilentProgress
from python_runner.models import ModelCard, ReferenceTokenizer, cards, prepare, prepare_model
from python_runner.models.atomic import unfinished, write_text
from python_runner.models.gguf import GgufRecord, gguf_path, is_converted
from python_runner.models.sizes import SPARE_BYTES


@pytest.fixture
def small(
    cache: Path, tmp_path: Path, small_card: ModelCard, monkeypatch: pytest.MonkeyPatch
) -> ModelCard:
    """The small model as the only one there is."""
    monkeypatch.setattr(cards, "catalogue", lambda: (small_card,))
    return small_card


def made(card: ModelCard) -> Path:
    return prepare_model(card.name, (), SilentProgress()).folder


def test_random_weights_are_made_once_and_complete(small: ModelCard) -> None:
    assert not small.is_ready()
    model = prepare_model("small", (), SilentProgress())
    assert small.is_ready()
    assert model.is_synthetic
    assert model.gguf == {}
    assert json.loads((model.folder / "config.json").read_text())["model_type"] == "gemma2"
    assert ReferenceTokenizer(model.folder).piece_count == 512
    before = {path: path.stat().st_mtime_ns for path in model.folder.iterdir()}
    again = prepare_model("small", (), SilentProgress())
    assert again == model
    assert {path: path.stat().st_mtime_ns for path in model.folder.iterdir()} == before


def test_the_same_seed_gives_the_same_hash(small: ModelCard) -> None:
    first = prepare_model("small", (), SilentProgress())
    shutil.rmtree(first.folder)
    assert prepare_model("small", (), SilentProgress()).source_sha256 == first.source_sha256


def test_what_was_left_unfinished_is_made_anew(small: ModelCard) -> None:
    small.folder.mkdir(parents=True)
    (small.folder / "config.json").write_text("half a fi")
    assert not small.is_ready()
    assert json.loads((made(small) / "config.json").read_text())


def test_a_truncated_file_is_a_model_error(small: ModelCard) -> None:
    weights = next(made(small).glob("*.safetensors"))
    weights.write_bytes(weights.read_bytes()[:100])
    with pytest.raises(ModelError, match=f"{weights.name} has 100 bytes") as raised:
        made(small)
    assert f"Remove {small.folder}" in raised.value.hint


def test_too_small_a_disk_is_refused_with_numbers(
    small: ModelCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=200_000_000))
    with pytest.raises(ModelError, match=r"needs 0\.3 GB in .*, and 0\.2 GB are free"):
        made(small)
    assert not small.folder.exists()


def test_the_gguf_counts_when_the_disk_is_checked(
    small: ModelCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = small.shape.parameters * 2
    free = SPARE_BYTES + size + size // 2
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    monkeypatch.setattr(prepare, "make_gguf", lambda *_, **__: Path("made.gguf"))
    with pytest.raises(ModelError, match=r"\(safetensors and GGUF\)"):
        prepare_model("small", {"bf16"}, SilentProgress())
    assert not small.folder.exists()
    made(small)
    model = prepare_model("small", {"bf16"}, SilentProgress())
    assert model.gguf == {"bf16": Path("made.gguf")}


def test_weights_that_differ_from_the_manifest_are_spoken_of(
    small: ModelCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = ModelCard.model_validate({**small.model_dump(), "sha256": "0" * 64})
    monkeypatch.setattr(cards, "catalogue", lambda: (card,))
    said: list[str] = []
    monkeypatch.setattr(SilentProgress, "say", lambda _, message: said.append(message))
    made(card)
    assert "other ones here than in the manifest" in said[0]


def test_a_changed_trained_model_is_refused(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "models"
    shutil.copytree(cards.models_dir(), folder)
    monkeypatch.setattr(cards, "models_dir", lambda: folder)
    assert not prepare_model("gemma-2-tiny", (), SilentProgress()).is_synthetic
    with (folder / "gemma-2-tiny" / "config.json").open("a") as config:
        config.write(" ")
    with pytest.raises(ModelError, match="not those of the manifest"):
        prepare_model("gemma-2-tiny", (), SilentProgress())


def test_wrong_names_are_refused_before_anything_is_made(cache: Path) -> None:
    with pytest.raises(UnknownNameError):
        prepare_model("gemma-9", (), SilentProgress())
    with pytest.raises(UsageError, match="q2_k"):
        prepare_model("gemma-2-2b-synthetic", ["bf16", "q2_k"], SilentProgress())
    assert not cache.exists()


def test_a_gguf_counts_only_with_its_record(cache: Path) -> None:
    target = gguf_path("small", "f" * 64, "bf16")
    target.parent.mkdir(parents=True)
    target.write_bytes(b"GGUF")
    assert not is_converted(target)
    record = GgufRecord(source_sha256="f" * 64, converter="1", precision="bf16", size=4)
    write_text(target.with_suffix(".json"), record.model_dump_json())
    assert is_converted(target)
    target.write_bytes(b"GG")
    with pytest.raises(ModelError, match="2 bytes instead of 4") as raised:
        is_converted(target)
    assert "Remove that file" in raised.value.hint
    target.unlink()
    assert not is_converted(target)


def test_an_unfinished_folder_is_gone_whatever_happens(tmp_path: Path) -> None:
    def interrupted() -> None:
        with unfinished(tmp_path / "target") as scratch:
            (scratch / "file").touch()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []

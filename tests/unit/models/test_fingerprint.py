"""A hash that is computed once, and notices when files are no longer what they were."""

import os
from pathlib import Path

import pytest

from python_runner.common.errors import ModelError
from python_runner.models import fingerprint as module
from python_runner.models.fingerprint import (
    check_sizes,
    known_fingerprint,
    read_fingerprint,
    take_fingerprint,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"weights")
    return folder


def test_depends_on_names_and_contents_and_nothing_else(folder: Path) -> None:
    first = take_fingerprint(folder)
    os.utime(folder / "config.json", ns=(1, 1))
    (folder / "README.md").write_text("read me")
    assert take_fingerprint(folder).sha256 == first.sha256
    (folder / "config.json").write_text("[]")
    assert take_fingerprint(folder).sha256 != first.sha256


def test_files_are_hashed_once(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = tmp_path / "record.json"
    first = known_fingerprint(folder, record)
    monkeypatch.setattr(module, "take_fingerprint", lambda _: pytest.fail("hashed again"))
    assert known_fingerprint(folder, record) == first


def test_a_new_date_or_size_makes_it_hash_again(folder: Path, tmp_path: Path) -> None:
    record = tmp_path / "record.json"
    first = known_fingerprint(folder, record)
    os.utime(folder / "model.safetensors", ns=(1, 1))
    assert known_fingerprint(folder, record).sha256 == first.sha256
    (folder / "model.safetensors").write_bytes(b"other weights")
    changed = known_fingerprint(folder, record)
    assert changed.sha256 != first.sha256
    assert read_fingerprint(record) == changed


@pytest.mark.parametrize("content", ["", "{}", "no json"])
def test_a_broken_record_counts_as_none(folder: Path, tmp_path: Path, content: str) -> None:
    record = tmp_path / "record.json"
    record.write_text(content)
    assert read_fingerprint(record) is None
    assert known_fingerprint(folder, record) == take_fingerprint(folder)


def test_a_truncated_file_is_named_with_both_sizes(folder: Path) -> None:
    known = take_fingerprint(folder)
    (folder / "model.safetensors").write_bytes(b"wei")
    with pytest.raises(ModelError, match=r"model\.safetensors has 3 bytes instead of 7") as raised:
        check_sizes(folder, known)
    assert str(folder) in raised.value.hint


def test_a_missing_and_an_extra_file_are_named(folder: Path) -> None:
    known = take_fingerprint(folder)
    (folder / "extra.safetensors").touch()
    with pytest.raises(ModelError, match=r"extra\.safetensors does not belong"):
        check_sizes(folder, known)
    (folder / "config.json").unlink()
    with pytest.raises(ModelError, match=r"config\.json is missing"):
        check_sizes(folder, known)

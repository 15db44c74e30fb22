"""The hash of a model's files, computed once and trusted while sizes and dates stay the same.

Hashing 5 GB takes seconds; looking at sizes and dates takes none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from python_runner.common.errors import ModelError
from python_runner.models.atomic import write_text

_CHUNK = 1 << 22
PATTERNS = (
    "*.safetensors",
    "*.safetensors.index.json",
    "added_tokens.json",
    "chat_template.jinja",
    "config.json",
    "generation_config.json",
    "merges.txt",
    "special_tokens_map.json",
    "tokenizer.json",
    "tokenizer.model",
    "tokenizer_config.json",
    "vocab.json",
)
"""The files that make a model: weights, configuration, tokenizer."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FileRecord(_Frozen):
    """One file as it was when it was hashed."""

    name: str
    size: int
    """Bytes."""
    modified_ns: int
    sha256: str


class Fingerprint(_Frozen):
    """The files of a model as they were when they were hashed, and one hash over them all."""

    sha256: str
    files: tuple[FileRecord, ...]


def model_files(folder: Path) -> list[Path]:
    """The files of `folder` that make the model: weights, configuration, tokenizer."""
    return sorted({path for pattern in PATTERNS for path in folder.glob(pattern)})


def take_fingerprint(folder: Path) -> Fingerprint:
    """Hash all files of the model in `folder`."""
    files = tuple(_record(path) for path in model_files(folder))
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.name}\0{file.sha256}\n".encode())
    return Fingerprint(sha256=digest.hexdigest(), files=files)


def read_fingerprint(record: Path) -> Fingerprint | None:
    """What `record` holds; None if it is missing or not readable."""
    try:
        return Fingerprint.model_validate_json(record.read_bytes())
    except (OSError, ValidationError):
        return None


def known_fingerprint(folder: Path, record: Path) -> Fingerprint:
    """The fingerprint of `folder`, computed only if `record` does not describe it as it is."""
    known = read_fingerprint(record)
    if known is not None and not any(_differences(folder, known, with_dates=True)):
        return known
    fresh = take_fingerprint(folder)
    write_text(record, fresh.model_dump_json(indent=2))
    return fresh


def known_file_hash(path: Path, record: Path) -> str:
    """The SHA-256 of one file, computed only if `record` does not describe it as it is."""
    known = read_fingerprint(record)
    status = path.stat()
    seen = (path.name, status.st_size, status.st_mtime_ns)
    if known is not None and [(f.name, f.size, f.modified_ns) for f in known.files] == [seen]:
        return known.sha256
    fresh = _record(path)
    write_text(record, Fingerprint(sha256=fresh.sha256, files=(fresh,)).model_dump_json(indent=2))
    return fresh.sha256


def check_sizes(folder: Path, fingerprint: Fingerprint) -> None:
    """Raise ModelError if a file of `folder` is missing or has another size than recorded."""
    for difference in _differences(folder, fingerprint, with_dates=False):
        raise ModelError(
            f"the model in {folder} is damaged: {difference}",
            hint=f"Remove {folder} and run the command again: it is made anew.",
        )


def _differences(folder: Path, fingerprint: Fingerprint, *, with_dates: bool) -> Iterator[str]:
    present = {path.name: path.stat() for path in model_files(folder)}
    for file in fingerprint.files:
        status = present.pop(file.name, None)
        if status is None:
            yield f"{file.name} is missing"
        elif status.st_size != file.size:
            yield f"{file.name} has {status.st_size:,} bytes instead of {file.size:,}"
        elif with_dates and status.st_mtime_ns != file.modified_ns:
            yield f"{file.name} was written again"
    for name in present:
        yield f"{name} does not belong to it"


def _record(path: Path) -> FileRecord:
    digest = hashlib.sha256()
    with path.open("rb") as data:
        while chunk := data.read(_CHUNK):
            digest.update(chunk)
    status = path.stat()
    return FileRecord(
        name=path.name,
        size=status.st_size,
        modified_ns=status.st_mtime_ns,
        sha256=digest.hexdigest(),
    )

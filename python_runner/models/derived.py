"""Folders that are derived from a model's safetensors, once, and kept with what they were made of.

A folder counts as made when its record lies beside it, which is written last.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from python_runner.common.errors import ModelError
from python_runner.models.atomic import one_at_a_time, unfinished, write_text


class DerivedRecord(BaseModel):
    """Where such a folder comes from; lies beside it as JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    source_sha256: str
    """Hash over the files it was made of."""
    converter: str
    """The release of the converter that made it."""
    size: int
    """Bytes of its weights."""
    model: str
    """Name of the model."""


RecordOf = TypeVar("RecordOf", bound=DerivedRecord)


def record_of(path: Path) -> Path:
    """Where it is recorded what the folder `path` is made of."""
    return path.with_name(f"{path.name}.json")


def read_record(path: Path, kind: type[RecordOf]) -> RecordOf | None:
    """What stands beside the folder `path`; None if it is missing or not readable."""
    try:
        return kind.model_validate_json(record_of(path).read_bytes())
    except (OSError, ValidationError):
        return None


def is_whole(path: Path, record: DerivedRecord | None, files: Sequence[str]) -> bool:
    """Whether the folder `path` was made completely.

    Args:
        path: the folder.
        record: what stands beside it.
        files: that it has to have, its weights first.

    Raises:
        ModelError: it was, and its weights have another size now, or a file is gone.
    """
    if record is None or not path.is_dir():
        return False
    missing = [name for name in files if not (path / name).is_file()]
    size = 0 if missing else (path / files[0]).stat().st_size
    if size != record.size:
        found = f"{missing[0]} is missing" if missing else f"{files[0]} has {size:,} bytes"
        raise ModelError(
            f"{path} is damaged: {found}, made with {record.size:,}",
            hint="Remove that folder and run the command again: it is made anew.",
        )
    return True


def make_once(
    target: Path, is_made: Callable[[Path], bool], make: Callable[[Path], DerivedRecord]
) -> Path:
    """The folder `target`, made by `make` in a place of its own unless it is there.

    Whoever else wants it meanwhile waits. What was not finished is gone.
    """
    with one_at_a_time(target):
        if is_made(target):
            return target
        with unfinished(target) as scratch:
            made = scratch / "made"
            record = make(made)
            shutil.rmtree(target, ignore_errors=True)  # of a record that is gone
            made.replace(target)
        write_text(record_of(target), record.model_dump_json(indent=2))
    return target

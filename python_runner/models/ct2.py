"""Folders in CTranslate2's own format, derived from safetensors by its converter.

The converter runs in a process of its own (`ct2_convert.py`), which gives back the memory that
it takes, and whose death is a message and not our end.
"""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from python_runner.common.locations import cache_dir, source_root
from python_runner.common.progress import Progress
from python_runner.models.derived import DerivedRecord, is_whole, make_once, read_record
from python_runner.models.gguf import write_file
from python_runner.models.plain_view import plain_view

KINDS = ("bf16", "int8")
"""What the weights of a folder are stored as."""
WEIGHTS = "model.bin"
_FILES = (WEIGHTS, "config.json", "vocabulary.json")
_PACKAGE = "ctranslate2"
_OURS = 1
"""Raised when what `ct2_convert` adds to the converter's work changes."""
_SHARE_OF_BF16 = {"bf16": 1.0, "int8": 0.503}
_START_S = 15.0
_SECONDS_PER_GB = {"bf16": 6.0, "int8": 12.0}


class Ct2Record(DerivedRecord):
    """Where such a folder comes from."""

    kind: str
    """One of `KINDS`."""


def ct2_dir() -> Path:
    """Where all such folders lie that were derived here."""
    return cache_dir() / "models" / "ctranslate2"


def ct2_path(name: str, source_sha256: str, kind: str) -> Path:
    """Where that folder lies, made or not; its name changes with the source."""
    converter = f"{_converter()}-{_OURS}"
    return ct2_dir() / f"{name}-{source_sha256[:16]}-{kind}-converter-{converter}"


def ct2_bytes(size: int, kind: str) -> int:
    """About how large such a folder is, if the model has `size` bytes in bf16."""
    return int(size * _SHARE_OF_BF16[kind])


def seconds_to_make(size: int, kind: str) -> float:
    """About how long two cores need for a model that has `size` bytes in bf16."""
    return _START_S + size / 1e9 * _SECONDS_PER_GB[kind]


def read_ct2_record(path: Path) -> Ct2Record | None:
    """What stands beside the folder `path`; None if it is missing or not readable."""
    return read_record(path, Ct2Record)


def is_made(path: Path) -> bool:
    """Whether the folder `path` was made completely. Raises ModelError if it is damaged."""
    return is_whole(path, read_ct2_record(path), _FILES)


def make_ct2(
    folder: Path,
    kind: str,
    *,
    name: str,
    source_sha256: str,
    expected_bytes: int,
    progress: Progress,
) -> Path:
    """Convert the safetensors in `folder`, unless that was done before.

    Args:
        folder: the model.
        kind: one of `KINDS`.
        name: of the model.
        source_sha256: hash over its files.
        expected_bytes: size of its weights in bf16; for the progress only.
        progress: shown while it is converted.

    Raises:
        ConversionError: the converter failed; the message holds the end of its log.
    """

    def convert(made: Path) -> Ct2Record:
        _convert(folder, made, kind, name=name, size=expected_bytes, progress=progress)
        return Ct2Record(
            source_sha256=source_sha256,
            converter=_converter(),
            kind=kind,
            size=(made / WEIGHTS).stat().st_size,
            model=name,
        )

    return make_once(ct2_path(name, source_sha256, kind), is_made, convert)


def _convert(
    folder: Path, made: Path, kind: str, *, name: str, size: int, progress: Progress
) -> None:
    with (
        progress.task(
            f"Converting {name} for CTranslate2 ({kind})",
            why="it reads a format of its own; kept for the next time",
            expected_s=seconds_to_make(size, kind),
        ) as task,
        plain_view(folder, made.parent) as view,
    ):
        write_file(
            [sys.executable, "-m", f"{__package__}.ct2_convert", view, made, kind],
            made / WEIGHTS,
            ct2_bytes(size, kind),
            failed=f"the conversion of {folder} for CTranslate2 failed",
            env={
                "PYTHONPATH": str(source_root()),
                # The folder is on this machine; nothing may be looked up elsewhere.
                "HF_HUB_OFFLINE": "1",
                "TRANSFORMERS_OFFLINE": "1",
                "PYTHONWARNINGS": "ignore",
                "NO_COLOR": "1",
            },
            task=task,
            log=cache_dir() / "logs" / f"{name}-ctranslate2-{kind}.log",
        )


def _converter() -> str:
    """The release of CTranslate2 that is installed."""
    try:
        return version(_PACKAGE)
    except PackageNotFoundError:
        return "none"  # the engine says so, with what to do

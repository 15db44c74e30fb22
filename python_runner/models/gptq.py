"""Checkpoints in GPTQ's format, 4 bits, derived from safetensors by GPT-QModel through Optimum.

GPTQ rounds a matrix with an eye on what goes into it, so it needs texts to look at. Here the
model writes them itself, from openings of ours (`gptq_convert.py`).

The converter runs in a process of its own, with packages that the project's environment does
not have (`engines/build/gptq.py`).
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

from python_runner.common.locations import cache_dir, source_root
from python_runner.common.progress import Progress
from python_runner.models.derived import DerivedRecord, is_whole, make_once, read_record
from python_runner.models.gguf import write_file
from python_runner.models.plain_view import plain_view

Packages = Callable[[Progress], Path]
"""Finds the folder of the packages that the converter needs. Raises SetupError."""

KIND = "int4"
WEIGHTS = "model.safetensors"
_FILES = (WEIGHTS, "config.json")
_OURS = 1
"""Raised when what `gptq_convert` does changes."""
_PINNED = re.compile(r"^gptqmodel==(\S+)", re.MULTILINE)
# Linear layers in 4 bits with scales for groups of 128, embedding and output head as they were.
_SHARE_OF_BF16 = 0.45
_START_S = 40.0
_SECONDS_PER_GB = 600.0


def gptq_dir() -> Path:
    """Where all such folders lie that were derived here."""
    return cache_dir() / "models" / "gptq"


def gptq_path(name: str, source_sha256: str) -> Path:
    """Where that folder lies, made or not; its name changes with source and converter."""
    return gptq_dir() / f"{name}-{source_sha256[:16]}-{KIND}-converter-{_converter()}-{_OURS}"


def gptq_bytes(size: int) -> int:
    """About how large such a folder is, if the model has `size` bytes in bf16."""
    return int(size * _SHARE_OF_BF16)


def seconds_to_make(size: int) -> float:
    """About how long two cores need for a model that has `size` bytes in bf16."""
    return _START_S + size / 1e9 * _SECONDS_PER_GB


def read_gptq_record(path: Path) -> DerivedRecord | None:
    """What stands beside the folder `path`; None if it is missing or not readable."""
    return read_record(path, DerivedRecord)


def is_made(path: Path) -> bool:
    """Whether the folder `path` was made completely. Raises ModelError if it is damaged."""
    return is_whole(path, read_gptq_record(path), _FILES)


def make_gptq(
    folder: Path,
    *,
    name: str,
    source_sha256: str,
    expected_bytes: int,
    packages: Packages,
    progress: Progress,
) -> Path:
    """Quantise the safetensors in `folder`, unless that was done before.

    Args:
        folder: the model.
        name: of the model.
        source_sha256: hash over its files.
        expected_bytes: size of its weights in bf16; for the progress only.
        packages: asked for the packages only if they are needed.
        progress: shown while it works.

    Raises:
        ConversionError: the converter failed; the message holds the end of its log.
        SetupError: its packages are not installed.
    """

    def quantise(made: Path) -> DerivedRecord:
        found = packages(progress)
        _convert(folder, made, found, name=name, size=expected_bytes, progress=progress)
        return DerivedRecord(
            source_sha256=source_sha256,
            converter=_converter(),
            size=(made / WEIGHTS).stat().st_size,
            model=name,
        )

    return make_once(gptq_path(name, source_sha256), is_made, quantise)


def _convert(
    folder: Path, made: Path, packages: Path, *, name: str, size: int, progress: Progress
) -> None:
    with (
        progress.task(
            f"Quantising {name} by GPTQ (4 bits)",
            why="it looks at what goes into each layer; kept for the next time",
            expected_s=seconds_to_make(size),
        ) as task,
        plain_view(folder, made.parent) as view,
    ):
        write_file(
            [sys.executable, "-m", f"{__package__}.gptq_convert", view, made],
            made / WEIGHTS,
            gptq_bytes(size),
            failed=f"{folder} could not be quantised by GPTQ",
            env=path_to(packages),
            task=task,
            log=cache_dir() / "logs" / f"{name}-gptq.log",
        )


def path_to(packages: Path) -> dict[str, str]:
    """Variables with which Python finds our code and these packages, and fetches nothing."""
    return {
        "PYTHONPATH": f"{source_root()}:{packages}",
        # What it compiles for itself, once.
        "GPTQMODEL_TORCH_EXTENSIONS_DIR": str(packages.parent / "kernels"),
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "PYTHONWARNINGS": "ignore",
        "NO_COLOR": "1",
    }


def _converter() -> str:
    """The release of GPT-QModel that the lock file names."""
    lock = source_root() / "requirements" / "gptq.txt"
    found = _PINNED.search(lock.read_text(encoding="utf-8"))
    return found[1] if found else "none"

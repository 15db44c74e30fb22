"""GGUF files, derived from safetensors by llama.cpp's own converter."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from python_runner.common.build.source import llama_cpp_source, pinned_release
from python_runner.common.errors import ConversionError, ModelError
from python_runner.common.locations import cache_dir
from python_runner.common.processes import start_child, stop_tree, tail
from python_runner.common.progress import Progress, Task
from python_runner.models.atomic import one_at_a_time, unfinished, write_text
from python_runner.models.plain_view import plain_view

WHOLE = "bf16"
"""The type that the converter writes, and of which the others are made."""
_POLL_S = 0.2
# What two cores needed for 5.2 GB, and for starting Python with its libraries.
_SECONDS_PER_GB = 12.0
_START_S = 6.0


class GgufRecord(BaseModel):
    """Where a GGUF file comes from; lies beside it as JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    source_sha256: str
    """Hash over the files it was converted from."""
    converter: str
    """The release that the converter was taken from."""
    precision: str
    """`bf16`, or the type that it was quantised to."""
    size: int
    """Bytes."""
    model: str = ""
    """Name of the model; empty in records of earlier versions."""


def gguf_dir() -> Path:
    """Where all GGUF files lie that were derived here."""
    return cache_dir() / "models" / "gguf"


def seconds_to_convert(size: int) -> float:
    """About how long a conversion to `size` bytes takes."""
    return _START_S + size / 1e9 * _SECONDS_PER_GB


def gguf_path(name: str, source_sha256: str, precision: str) -> Path:
    """Where the GGUF of this source lies, made or not; its name changes with the source."""
    converter = pinned_release().version
    file_name = f"{name}-{source_sha256[:16]}-{precision}-converter-{converter}.gguf"
    return gguf_dir() / file_name


def is_converted(path: Path) -> bool:
    """Whether `path` was made completely.

    Raises:
        ModelError: it was, and has another size now.
    """
    record = read_record(path.with_suffix(".json"))
    if record is None or not path.is_file():
        return False
    if path.stat().st_size != record.size:
        raise ModelError(
            f"{path} is damaged: {path.stat().st_size:,} bytes instead of {record.size:,}",
            hint="Remove that file and run the command again: it is made anew.",
        )
    return True


def make_gguf(
    folder: Path, *, name: str, source_sha256: str, expected_bytes: int, progress: Progress
) -> Path:
    """Convert the safetensors in `folder` to a GGUF file in bf16, unless that was done before.

    Args:
        folder: the model.
        name: of the model.
        source_sha256: hash over its files; recorded beside the GGUF and inside it.
        expected_bytes: about how large the GGUF becomes; for the progress only.
        progress: shown while it is converted.

    Raises:
        ConversionError: the converter failed; the message holds the end of its log.
    """

    def convert(made: Path) -> None:
        source = llama_cpp_source(progress)
        with progress.task(
            f"Converting {name} to GGUF ({WHOLE})",
            why="llama.cpp and Ollama read this format",
            expected_s=seconds_to_convert(expected_bytes),
        ) as task:
            _convert(
                source,
                folder,
                made,
                source_sha256=source_sha256,
                expected_bytes=expected_bytes,
                task=task,
            )

    return keep_gguf(convert, name=name, source_sha256=source_sha256, precision=WHOLE)


def keep_gguf(
    make: Callable[[Path], None], *, name: str, source_sha256: str, precision: str
) -> Path:
    """The GGUF file of that source, made by `make` unless that was done before.

    Args:
        make: writes the file that it is given, in a folder for itself.
        name: of the model.
        source_sha256: hash over the files that it comes from in the end.
        precision: one of `TYPES`.

    Raises what `make` raises.
    """
    target = gguf_path(name, source_sha256, precision)
    with one_at_a_time(target):
        if is_converted(target):
            return target
        with unfinished(target) as scratch:
            made = scratch / target.name
            make(made)
            record = GgufRecord(
                source_sha256=source_sha256,
                converter=pinned_release().version,
                precision=precision,
                size=made.stat().st_size,
                model=name,
            )
            made.replace(target)
        write_text(target.with_suffix(".json"), record.model_dump_json(indent=2))
    return target


def _convert(
    source: Path, folder: Path, made: Path, *, source_sha256: str, expected_bytes: int, task: Task
) -> None:
    # Inside the file, so that it can be told from the file alone what it was made of.
    description = made.with_name("description.json")
    description.write_text(json.dumps({"general.description": f"source_sha256={source_sha256}"}))
    options = ["--outtype", WHOLE, "--metadata", str(description), "--outfile", str(made)]
    with plain_view(folder, made.parent) as view:
        write_file(
            [sys.executable, source / "convert_hf_to_gguf.py", view, *options],
            made,
            expected_bytes,
            failed=f"the conversion of {folder} to GGUF failed",
            env={
                "PYTHONPATH": str(source / "gguf-py"),
                # The folder is on this machine; nothing may be looked up elsewhere.
                "HF_HUB_OFFLINE": "1",
                "TRANSFORMERS_OFFLINE": "1",
                "PYTHONWARNINGS": "ignore",
            },
            task=task,
        )


def write_file(
    command: Sequence[str | Path],
    made: Path,
    expected_bytes: int,
    *,
    failed: str,
    env: Mapping[str, str] | None = None,
    task: Task,
    log: Path | None = None,
) -> None:
    """Run the program that writes `made`.

    Args:
        command: the program and its words.
        made: the file.
        expected_bytes: about how large it becomes; for the progress only.
        failed: begins the message if it fails.
        env: variables besides ours.
        task: told how far it is.
        log: for its output; None: one of the file's name.

    Raises:
        ConversionError: it failed; the message holds the end of its log.
    """
    log = log or cache_dir() / "logs" / f"{made.stem}.log"
    log.unlink(missing_ok=True)
    child = start_child(command, log=log, env=env)
    try:
        _watch(child, made, expected_bytes, task)
    finally:
        stop_tree(child)
    if child.returncode != 0 or not made.is_file():
        raise ConversionError(
            f"{failed} (exit code {child.returncode}):\n{tail(log, 12)}",
            hint=f"The whole log: {log}",
        )


def _watch(child: subprocess.Popen[bytes], made: Path, expected_bytes: int, task: Task) -> None:
    while child.poll() is None:
        if made.exists():
            task.update(min(0.99, made.stat().st_size / expected_bytes), "writing tensors")
        else:
            task.update(None, "reading tensors")
        time.sleep(_POLL_S)


def read_record(record: Path) -> GgufRecord | None:
    """What stands beside a GGUF file; None if it is missing or not readable."""
    try:
        return GgufRecord.model_validate_json(record.read_bytes())
    except (OSError, ValidationError):
        return None

"""What a run will need of the disk, and whether there is that much."""

from __future__ import annotations

import shutil
from pathlib import Path

from python_runner.common.errors import StoreError
from python_runner.study import Study

_LEAST_BYTES = 20_000_000
"""Pictures, report and logs of a run."""
_OF_A_REQUEST = 2_000
_OF_A_PROMPT_TOKEN = 8
"""Its text."""
_OF_A_NEW_TOKEN = 64
"""Stamp, count, id and text, once more for what a reference finds; with some to spare."""
_MB = 1e6


def expected_bytes(study: Study) -> int:
    """About what a run of this study writes. Where time ends it, the least that it writes."""
    work = study.workload
    if study.load is not None:
        return _LEAST_BYTES
    requests = len(study.stacks) * (study.most_iterations + study.visits * study.warmup)
    each = (
        _OF_A_REQUEST + _OF_A_PROMPT_TOKEN * work.prompt_tokens + _OF_A_NEW_TOKEN * work.new_tokens
    )
    return _LEAST_BYTES + requests * each


def require_room(folder: Path, needed_bytes: int | None = None) -> None:
    """Raises StoreError if the disk of `folder` has less than that left; None: the least."""
    wanted = _LEAST_BYTES if needed_bytes is None else needed_bytes
    try:
        free = shutil.disk_usage(folder).free
    except OSError:
        return  # Not every file system tells.
    if free < wanted:
        raise StoreError(
            f"{folder} has {free / _MB:.0f} MB left on its disk, and a run writes about "
            f"{wanted / _MB:.0f} MB",
            hint="Make room, or name a folder on another disk with --results.",
        )

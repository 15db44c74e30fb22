"""What a model will take before it can be run: told before anything is written."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from python_runner.common.errors import ModelError
from python_runner.models import gptq as gptq_form
from python_runner.models.ct2 import KINDS, ct2_bytes, ct2_dir, ct2_path, is_made, seconds_to_make
from python_runner.models.fingerprint import read_fingerprint
from python_runner.models.gguf import (
    WHOLE,
    gguf_dir,
    gguf_path,
    is_converted,
    seconds_to_convert,
)
from python_runner.models.hub import hub_cache
from python_runner.models.quantise import TYPES, gguf_bytes, seconds_to_quantise
from python_runner.models.source import Source

SECONDS_PER_GB = 10.0
"""To draw random weights and write them; what two busy cores needed, idle ones are faster."""
SPARE_BYTES = 300_000_000
"""For the tokenizer files and what else is written meanwhile."""


@dataclass(frozen=True, kw_only=True)
class ToWrite:
    """A form of the model that is not on this disk yet."""

    form: str
    bytes: int
    place: Path
    """The folder it will lie in."""
    seconds: float | None
    """About how long that takes; None if it depends on others (a download)."""
    gguf: str = ""
    """The type, if it is a GGUF file."""


def still_to_write(
    source: Source, ggufs: Iterable[str], ct2: Iterable[str] = (), *, gptq: bool = False
) -> tuple[ToWrite, ...]:
    """What has to be made or fetched for these forms, in the order in which it is made.

    Args:
        source: the model.
        ggufs: types of GGUF file.
        ct2: kinds of folder for CTranslate2.
        gptq: whether a checkpoint in GPTQ's format is wanted.
    """
    if source.gguf is not None:
        return ()
    found: list[ToWrite] = []
    size = source.bytes
    if not source.is_ready:
        is_fetched = source.card is not None and source.card.hub is not None
        found.append(
            ToWrite(
                form="safetensors",
                bytes=size,
                place=hub_cache() if is_fetched else source.folder.parent,
                seconds=None if is_fetched else size / 1e9 * SECONDS_PER_GB,
            )
        )
    missing = {kind for kind in ggufs if not _has_gguf(source, kind)}
    if missing and not _has_gguf(source, WHOLE):
        missing.add(WHOLE)  # the others are made of it
    folders = {kind for kind in ct2 if not _has_ct2(source, kind)}
    return (
        *(*found, *(_gguf(size, kind) for kind in TYPES if kind in missing)),
        *(_ct2(size, kind) for kind in KINDS if kind in folders),
        *([_gptq(size)] if gptq and not _has_gptq(source) else []),
    )


def _gguf(size: int, kind: str) -> ToWrite:
    return ToWrite(
        form="GGUF" if kind == WHOLE else f"GGUF in {kind.upper()}",
        bytes=gguf_bytes(size, kind),
        place=gguf_dir(),
        seconds=seconds_to_convert(size) if kind == WHOLE else seconds_to_quantise(size, kind),
        gguf=kind,
    )


def _ct2(size: int, kind: str) -> ToWrite:
    return ToWrite(
        form=f"CTranslate2 in {kind}",
        bytes=ct2_bytes(size, kind),
        place=ct2_dir(),
        seconds=seconds_to_make(size, kind),
    )


def _gptq(size: int) -> ToWrite:
    return ToWrite(
        form="GPTQ in 4 bits",
        bytes=gptq_form.gptq_bytes(size),
        place=gptq_form.gptq_dir(),
        seconds=gptq_form.seconds_to_make(size),
    )


def _has_gptq(source: Source) -> bool:
    known = read_fingerprint(source.record) if source.is_ready else None
    return known is not None and gptq_form.is_made(gptq_form.gptq_path(source.name, known.sha256))


def _has_ct2(source: Source, kind: str) -> bool:
    known = read_fingerprint(source.record) if source.is_ready else None
    return known is not None and is_made(ct2_path(source.name, known.sha256, kind))


def _has_gguf(source: Source, kind: str) -> bool:
    known = read_fingerprint(source.record) if source.is_ready else None
    return known is not None and is_converted(gguf_path(source.name, known.sha256, kind))


def check_disks(name: str, needed: Iterable[ToWrite]) -> None:
    """Raise ModelError if a disk has too little room for all that will be written to it."""
    by_disk: dict[int, list[ToWrite]] = {}
    for each in needed:
        by_disk.setdefault(existing(each.place).stat().st_dev, []).append(each)
    for together in by_disk.values():
        place = together[0].place
        wanted = sum(each.bytes for each in together) + SPARE_BYTES
        free = free_bytes(place)
        if free < wanted:
            raise ModelError(
                f"{name} needs {wanted / 1e9:.1f} GB in {place} "
                f"({' and '.join(each.form for each in together)}), "
                f"and {free / 1e9:.1f} GB are free",
                hint="Make room (`polystack models` lists what models take, `polystack models "
                "remove` removes), or set POLYSTACK_CACHE to a folder on a larger disk.",
            )


def free_bytes(place: Path) -> int:
    """Bytes that may be written where `place` is or will be."""
    return shutil.disk_usage(existing(place)).free


def existing(place: Path) -> Path:
    """`place`, or the nearest folder above it that exists."""
    return next(path for path in (place, *place.parents) if path.exists())

"""What a study will take in disk, memory and time: told, and refused where it cannot fit."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import psutil

from python_runner.common.errors import ModelError
from python_runner.common.locations import ollama_dir
from python_runner.common.progress import Progress
from python_runner.engines.contract import Engine, WeightFormat
from python_runner.models import Source
from python_runner.models.sizes import ToWrite, check_disks, existing, free_bytes, still_to_write
from python_runner.study import Study

_WORTH_TELLING = 100_000_000
"""Bytes of weights."""
_BYTES_PER_S = 20e9
"""Weights that two cores read from memory while they decode: 5.2 GB took 0.25 s a token."""
_LOADING_S_PER_GB = 3.0
_WHOLE_BITS = 16
_AS_IT_IS = WeightFormat(name="", bits=_WHOLE_BITS, memory_per_weight_byte=1.1)


@dataclass(frozen=True, kw_only=True)
class Needs:
    """What a study takes before and while it runs."""

    to_write: tuple[ToWrite, ...]
    memory: Mapping[str, int]
    """Bytes of each stack at its peak, about, where known. They run one after the other."""
    making_s: float | None
    """Seconds for `to_write`; None if that depends on a download."""
    stack_s: float
    """Seconds of measuring for one stack, by what two cores needed; slow engines take more."""


def needs_of(source: Source, study: Study, engines: Mapping[str, Engine]) -> Needs:
    """Work out what `study` takes on this machine as it is now."""
    held = {name: _format_of(candidate, source, study) for name, candidate in engines.items()}
    to_write = still_to_write(
        source,
        {each.gguf for each in held.values() if each.gguf},
        {each.ct2 for each in held.values() if each.ct2},
        gptq=any(each.gptq for each in held.values()),
    )
    copied = {held[name].gguf for name, each in engines.items() if each.spec.keeps_a_copy}
    to_write += _copies(source, to_write, copied)
    size = source.bytes
    requests = study.warmup + (study.visits - 1) * min(study.warmup, 1) + study.iterations
    seconds = [each.seconds for each in to_write]
    # Each token reads all the weights once, in what most of their bytes are held in.
    read = size * max((each.bits for each in held.values()), default=_WHOLE_BITS) / _WHOLE_BITS
    return Needs(
        to_write=to_write,
        memory={
            name: int(size * each.memory_per_weight_byte)
            for name, each in held.items()
            if each.memory_per_weight_byte is not None
        },
        making_s=None if None in seconds else sum(s for s in seconds if s is not None),
        stack_s=study.visits * size / 1e9 * _LOADING_S_PER_GB
        + requests * study.workload.new_tokens * read / _BYTES_PER_S,
    )


def _format_of(candidate: Engine, source: Source, study: Study) -> WeightFormat:
    if source.gguf is None:
        return candidate.spec.formats[study.precision]
    # `bytes` is then the size of the file, whatever is in it.
    return replace(_AS_IT_IS, name=source.gguf.precision, gguf=source.gguf.precision)


def _copies(
    source: Source, to_write: tuple[ToWrite, ...], copied: Collection[str]
) -> tuple[ToWrite, ...]:
    """The copies in Ollama's store; none where the GGUF can be linked into it."""
    place = ollama_dir()
    disk = existing(place).stat().st_dev
    if source.gguf:
        ggufs = [(source.gguf.path, source.bytes)] if copied else []
    else:
        ggufs = [(each.place, each.bytes) for each in to_write if each.gguf and each.gguf in copied]
    return tuple(
        ToWrite(form="Ollama's copy", bytes=size, place=place, seconds=0.0)
        for path, size in ggufs
        if existing(path).stat().st_dev != disk
    )


def tell(source: Source, needs: Needs, progress: Progress) -> None:
    """Say it before work starts; small models are not worth the words."""
    if source.bytes < _WORTH_TELLING:
        return
    lines = [*_disk_lines(needs), *_memory_lines(needs), _time_line(needs)]
    precision = source.gguf.precision if source.gguf else "bf16"
    progress.say(f"{source.name}, {source.bytes / 1e9:.1f} GB of weights in {precision}:")
    for line in lines:
        progress.say(f"  {line}")


def _disk_lines(needs: Needs) -> list[str]:
    if not needs.to_write:
        return ["Disk: all its forms are there."]
    forms = " + ".join(f"{each.form} {each.bytes / 1e9:.1f} GB" for each in needs.to_write)
    place = needs.to_write[0].place
    return [f"Disk: {forms}; {free_bytes(place) / 1e9:.1f} GB are free in {existing(place)}."]


def _memory_lines(needs: Needs) -> list[str]:
    each = ", ".join(f"{name} {size / 1e9:.1f} GB" for name, size in needs.memory.items())
    if not needs.memory:
        return []
    return [f"Memory, one stack at a time: {each}; {available_memory() / 1e9:.1f} GB available."]


def _time_line(needs: Needs) -> str:
    if needs.making_s is None:
        making = "the download, then "
    elif needs.making_s:
        making = f"about {_minutes(needs.making_s)} to make it, then "
    else:
        making = ""
    return (
        f"Time: {making}about {_minutes(needs.stack_s)} a stack on two cores, "
        "several times that for an engine that is slow in this precision."
    )


def _minutes(seconds: float) -> str:
    return f"{max(1, round(seconds / 60))} min"


def refuse_what_cannot_fit(source: Source, needs: Needs) -> dict[str, str]:
    """Stacks for which the memory is too small, with the reason.

    Raises:
        ModelError: a disk is too small, or the memory is for every stack.
    """
    check_disks(source.name, needs.to_write)
    available = available_memory()
    too_large = {
        name: f"{source.name} needs about {size / 1e9:.1f} GB of memory in {name}, "
        f"and {available / 1e9:.1f} GB are available"
        for name, size in needs.memory.items()
        if size > available
    }
    if too_large and len(too_large) == len(needs.memory):
        raise ModelError(
            "\n".join(too_large.values()),
            hint="Close other programs, or choose a smaller model with --model.",
        )
    return too_large


def available_memory() -> int:
    """Bytes that a new process can have without swapping, as the system estimates it."""
    available: int = psutil.virtual_memory().available
    return available

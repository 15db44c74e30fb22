"""Random weights for a model of any size, drawn from a seed and written as they are drawn.

The numbers are the same on every machine: the raw output of a counter-based generator
(Philox, whose bits NumPy guarantees), mapped through a table of normal quantiles.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from statistics import NormalDist
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from python_runner.common.progress import Task
from python_runner.models.architectures.base import Led, Normal, Shape, Size
from python_runner.models.tokenizer.vocabulary import FIRST_PIECE_ID

BYTES_PER_WEIGHT = 2
SHARD_BYTES = 1 << 30
_CHUNK = 1 << 22
"""Weights drawn at a time: 8 MB of bfloat16, which bounds the memory needed."""
_LEVELS = 1 << 16

# How much smaller the weights of pieces are that shall not be said.
_QUIET = 1 / 8
_PER_COUNT = 16
"""Weights that one step of the generator's counter gives: four numbers of 64 bits."""

Chunks = Iterator[npt.NDArray[np.uint16]]
"""Weights in order, as the bits of bfloat16."""


def write_random_weights(folder: Path, shape: Shape, *, seed: int, task: Task) -> None:
    """Write the shards and their index into `folder`, about 8 MB of memory at a time.

    Args:
        folder: where to write; must exist.
        shape: of the model.
        seed: the same seed gives the same bytes on every machine.
        task: told how far it is.
    """
    shards = plan_shards(list(shape.tensors()))
    numbers = {name: at for at, (name, _) in enumerate(shape.tensors())}
    written, total = 0, shape.parameters
    where: dict[str, str] = {}
    for number, shard in enumerate(shards, start=1):
        file_name = f"model-{number:05d}-of-{len(shards):05d}.safetensors"
        with (folder / file_name).open("wb") as output:
            _write_header(output, shard)
            for name, size in shard:
                where[name] = file_name
                for chunk in draw_tensor(shape, name, size, key=(seed, numbers[name])):
                    output.write(chunk.tobytes())
                    written += chunk.size
                    task.update(written / total, f"{file_name}: {name}")
    index = {"metadata": {"total_size": total * BYTES_PER_WEIGHT}, "weight_map": where}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=2) + "\n")


Tensors = Sequence[tuple[str, Size]]


def plan_shards(tensors: Tensors) -> list[Tensors]:
    """Split the tensors into files of at most 1 GiB, or of one tensor that is larger."""
    shards: list[list[tuple[str, Size]]] = [[]]
    room = SHARD_BYTES
    for name, size in tensors:
        needed = math.prod(size) * BYTES_PER_WEIGHT
        if needed > room and shards[-1]:
            shards.append([])
            room = SHARD_BYTES
        shards[-1].append((name, size))
        room -= needed
    return list(shards)


def draw_tensor(shape: Shape, name: str, size: Size, *, key: tuple[int, int]) -> Chunks:
    """The weights of one tensor of a model.

    Args:
        shape: of the model; says how its tensors are drawn.
        name: of the tensor.
        size: of the tensor.
        key: seed, and which tensor it is: every tensor has a stream of its own, but for the
            output matrix that is drawn like the embedding.
    """
    how = shape.draw(name, size)
    if isinstance(how, Led):
        # The embedding is the first tensor of every model.
        return draw_led(how, size, key=(key[0], 0))
    quiet = how.quiet_rows * math.prod(size[1:])
    return draw(how, math.prod(size), key=key, quiet=quiet)


def draw(
    how: Normal, count: int, *, key: tuple[int, int], quiet: int = 0, start: int = 0
) -> Chunks:
    """Weights from a normal distribution.

    Args:
        how: the distribution.
        count: how many weights.
        key: seed, and which stream.
        quiet: how many of the first weights belong to pieces that shall not be said.
        start: where in the stream to begin; a multiple of 16.
    """
    table = _quantiles(how.mean, how.spread)
    quiet_table = _quantiles(how.mean, how.spread * _QUIET) if quiet else table
    source = np.random.Philox(key=np.array(key, dtype=np.uint64))
    source.advance(start // _PER_COUNT)
    for done in range(0, count, _CHUNK):
        size = min(_CHUNK, count - done)
        # "<u8" fixes the order of the bytes, so that the four parts are the same everywhere.
        raw = source.random_raw(-(-size // 4)).astype("<u8", copy=False)
        levels = raw.view("<u2")[:size]
        weights = table[levels]
        if done < quiet:
            weights[: quiet - done] = quiet_table[levels[: quiet - done]]
        yield weights


def draw_led(how: Led, size: Size, *, key: tuple[int, int]) -> Chunks:
    """Rows that lead from each piece to another; `Led` says how.

    Args:
        how: by how many pieces, and how large.
        size: pieces of the vocabulary, markers and bytes included, and the width of a row,
            which is a multiple of 16.
        key: seed, and the stream that both matrices are drawn from.
    """
    vocabulary, width = size
    pieces = vocabulary - FIRST_PIECE_ID
    distribution = Normal(0.0, how.spread)

    def rows(first: int, count: int) -> Chunks:
        while count > 0:
            first %= pieces
            here = min(count, pieces - first)
            yield from draw(distribution, here * width, key=key, start=first * width)
            first, count = first + here, count - here

    if how.silent:
        yield np.zeros(FIRST_PIECE_ID * width, dtype="<u2")
    else:
        yield from rows(0, FIRST_PIECE_ID)
    yield from rows(-how.step, pieces)


@cache
def _quantiles(mean: float, spread: float) -> npt.NDArray[np.uint16]:
    """2**16 equally likely values of a normal distribution, as the bits of bfloat16."""
    normal = NormalDist(mean, spread)
    values = [normal.inv_cdf((level + 0.5) / _LEVELS) for level in range(_LEVELS)]
    bits = np.array(values, dtype=np.float32).view(np.uint32)
    # Round to nearest; ties to even, as every conversion to bfloat16 does.
    rounded = bits + 0x7FFF + ((bits >> 16) & 1)
    return (rounded >> 16).astype("<u2")


def _write_header(output: BinaryIO, tensors: Tensors) -> None:
    """The header of a safetensors file.

    Written here because the library wants a whole file's weights in memory at once.
    """
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    start = 0
    for name, size in tensors:
        end = start + math.prod(size) * BYTES_PER_WEIGHT
        header[name] = {"dtype": "BF16", "shape": list(size), "data_offsets": [start, end]}
        start = end
    text = json.dumps(header, separators=(",", ":")).encode()
    # Padded with spaces, so that the weights begin at a multiple of 8 bytes.
    text += b" " * (-len(text) % 8)
    output.write(len(text).to_bytes(8, "little") + text)

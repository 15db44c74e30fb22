"""Random weights for a Gemma-2 of any size, drawn from a seed and written as they are drawn.

The numbers are the same on every machine: the raw output of a counter-based generator
(Philox, whose bits NumPy guarantees), mapped through a table of normal quantiles.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import NormalDist
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from python_runner.common.progress import Task
from python_runner.models.gemma import EMBEDDING, FINAL_NORM, GemmaShape
from python_runner.models.tokenizer.vocabulary import FIRST_PIECE_ID

BYTES_PER_WEIGHT = 2
SHARD_BYTES = 1 << 30
_CHUNK = 1 << 22
"""Weights drawn at a time: 8 MB of bfloat16, which bounds the memory needed."""
_LEVELS = 1 << 16

_MATRIX_SPREAD = 0.02
_EMBEDDING_SPREAD = 0.005
# Markers and bytes are this much quieter than other pieces, so that a random model neither
# ends its answer early nor writes half a character.
_QUIET = 1 / 8
_NORM_SPREAD = 0.02
# Gemma multiplies by (1 + w). With a full share of attention, which in a random model is the
# average of all that was read, every step would end in the same token for ever.
_POST_ATTENTION_NORM_MEAN = -0.9
# Brings the logits of random weights to a width of about 2.
_FINAL_NORM_MEAN = 7.0


def write_random_weights(folder: Path, shape: GemmaShape, *, seed: int, task: Task) -> None:
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
                quiet = FIRST_PIECE_ID * shape.hidden if name == EMBEDDING else 0
                for chunk in draw(name, math.prod(size), key=(seed, numbers[name]), quiet=quiet):
                    output.write(chunk.tobytes())
                    written += chunk.size
                    task.update(written / total, f"{file_name}: {name}")
    index = {"metadata": {"total_size": total * BYTES_PER_WEIGHT}, "weight_map": where}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=2) + "\n")


Tensors = Sequence[tuple[str, tuple[int, ...]]]


def plan_shards(tensors: Tensors) -> list[Tensors]:
    """Split the tensors into files of at most 1 GiB, or of one tensor that is larger."""
    shards: list[list[tuple[str, tuple[int, ...]]]] = [[]]
    room = SHARD_BYTES
    for name, size in tensors:
        needed = math.prod(size) * BYTES_PER_WEIGHT
        if needed > room and shards[-1]:
            shards.append([])
            room = SHARD_BYTES
        shards[-1].append((name, size))
        room -= needed
    return list(shards)


def draw(
    name: str, count: int, *, key: tuple[int, int], quiet: int = 0
) -> Iterator[npt.NDArray[np.uint16]]:
    """The weights of the tensor `name` as the bits of bfloat16, in chunks.

    Args:
        name: decides the distribution.
        count: how many weights.
        key: seed, and which tensor it is: every tensor has a stream of its own.
        quiet: how many of the first weights belong to pieces that shall not be said.
    """
    mean, spread = _distribution(name)
    table, quiet_table = _quantiles(mean, spread), _quantiles(mean, spread * _QUIET)
    source = np.random.Philox(key=np.array(key, dtype=np.uint64))
    for start in range(0, count, _CHUNK):
        size = min(_CHUNK, count - start)
        # "<u8" fixes the order of the bytes, so that the four parts are the same everywhere.
        raw = source.random_raw(-(-size // 4)).astype("<u8", copy=False)
        levels = raw.view("<u2")[:size]
        weights = table[levels]
        if start < quiet:
            weights[: quiet - start] = quiet_table[levels[: quiet - start]]
        yield weights


def _distribution(name: str) -> tuple[float, float]:
    """Mean and standard deviation."""
    if name == EMBEDDING:
        return 0.0, _EMBEDDING_SPREAD
    if name.endswith("post_attention_layernorm.weight"):
        return _POST_ATTENTION_NORM_MEAN, _NORM_SPREAD
    if name == FINAL_NORM:
        return _FINAL_NORM_MEAN, _NORM_SPREAD
    if name.endswith("norm.weight"):
        return 0.0, _NORM_SPREAD
    return 0.0, _MATRIX_SPREAD


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

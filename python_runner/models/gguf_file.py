"""What a GGUF file says about itself at its beginning; the weights are not read.

The layout: `GGUF`, a version, how many tensors and how many keys there are, then each key
with its value, then each tensor with its name, shape, type and place, all little-endian.

What a file says of itself is believed only as far as it has the bytes: nothing is allocated, and
nothing counted to the end, for a length that cannot be.
"""

from __future__ import annotations

import math
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO

from python_runner.common.errors import ModelError
from python_runner.models.chat import ChatTemplate

_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_STRING, _ARRAY = 8, 9
# By the number of a type: how the `struct` module spells it.
_SCALARS: Mapping[int, str] = MappingProxyType(
    {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
)
_LONGEST_STRING = 1 << 26
# What most of the weights are stored as, by `general.file_type`.
_FILE_TYPES: Mapping[int, str] = MappingProxyType(
    {
        0: "f32", 1: "f16", 2: "q4_0", 3: "q4_1", 7: "q8_0", 8: "q5_0", 9: "q5_1",
        10: "q2_k", 11: "q3_k_s", 12: "q3_k_m", 13: "q3_k_l", 14: "q4_k_s", 15: "q4_k_m",
        16: "q5_k_s", 17: "q5_k_m", 18: "q6_k", 19: "iq2_xxs", 20: "iq2_xs", 21: "q2_k_s",
        22: "iq3_xs", 23: "iq3_xxs", 24: "iq1_s", 25: "iq4_nl", 26: "iq3_s", 27: "iq3_m",
        28: "iq2_s", 29: "iq2_m", 30: "iq4_xs", 31: "iq1_m", 32: "bf16",
    }
)  # fmt: skip

# The types of tensors, by their numbers.
_TENSOR_TYPES: Mapping[int, str] = MappingProxyType(
    {
        0: "f32", 1: "f16", 2: "Q4_0", 3: "Q4_1", 6: "Q5_0", 7: "Q5_1", 8: "Q8_0", 9: "Q8_1",
        10: "Q2_K", 11: "Q3_K", 12: "Q4_K", 13: "Q5_K", 14: "Q6_K", 15: "Q8_K", 16: "IQ2_XXS",
        17: "IQ2_XS", 18: "IQ3_XXS", 19: "IQ1_S", 20: "IQ4_NL", 21: "IQ3_S", 22: "IQ2_S",
        23: "IQ4_XS", 29: "IQ1_M", 30: "bf16", 34: "TQ1_0", 35: "TQ2_0", 39: "MXFP4",
        40: "NVFP4", 41: "Q1_0", 42: "Q2_0",
    }
)  # fmt: skip
_MOST_DIMENSIONS = 8
_SHORTEST_STRING, _SHORTEST_KEY, _SHORTEST_TENSOR = 8, 13, 24
"""Bytes that each takes at least."""
_ALIGNMENT = "general.alignment"
_USUAL_ALIGNMENT = 32
_MOST_ALIGNMENT = 1 << 16

Scalar = int | float | bool | str


@dataclass(frozen=True, kw_only=True)
class _Array:
    """A value of many parts, which is passed over; where its parts begin."""

    kind: int
    count: int
    offset: int


class _Source:
    """The file, of which nothing is read or passed over that is not there."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._size = os.fstat(file.fileno()).st_size
        self.at = 0
        """Where the next byte is read."""

    @property
    def left(self) -> int:
        """Bytes from here to the end."""
        return self._size - self.at

    def take(self, count: int) -> bytes:
        """The next bytes."""
        self._advance(count)
        return self._file.read(count)

    def pass_over(self, count: int) -> None:
        """Leave out the next bytes."""
        self._advance(count)
        self._file.seek(self.at)

    def go_to(self, place: int) -> None:
        """Read on from a place where something was read before."""
        self.at = place
        self._file.seek(place)

    def numbers(self, layout: str) -> tuple[int, ...]:
        """The next numbers, as the `struct` module spells them."""
        return struct.unpack(layout, self.take(struct.calcsize(layout)))

    def check_count(self, count: int, each: int, what: str) -> None:
        """Refuse a number of things that would not fit into what is left."""
        if count * each > self.left:
            raise ValueError(f"{count} {what}, for which it is too short")

    def _advance(self, count: int) -> None:
        if count > self.left:
            raise ValueError("it ends too early")
        self.at += count


@dataclass(frozen=True, kw_only=True)
class _Tensor:
    kind: int
    weights: int
    offset: int
    """From where the first begins."""


@dataclass(frozen=True, kw_only=True)
class GgufFacts:
    """What is known of a GGUF file from its beginning."""

    path: Path
    architecture: str
    precision: str
    """What most of the weights are stored as, such as `q4_k_m`."""
    bytes: int
    chat_template: ChatTemplate | None


def read_gguf(path: Path) -> GgufFacts:
    """Read the beginning of the file.

    Raises:
        ModelError: it is no GGUF file that can be read, or one part of several.
    """
    try:
        with path.open("rb") as opened:
            file = _Source(opened)
            tensors, values = _read_values(file)
            _check_places(file, tensors, values)
            template = _chat_template(file, values)
    except (OSError, ValueError, struct.error) as error:
        raise _unreadable(path, error) from error
    if "general.architecture" not in values:
        raise ModelError(f"{path} names no architecture", hint="Take a GGUF file of a model.")
    if values.get("split.count", 0) not in {0, 1}:
        raise ModelError(
            f"{path} is one part of {values['split.count']}",
            hint="Join the parts with `llama-gguf-split --merge` first.",
        )
    kind = values.get("general.file_type")
    return GgufFacts(
        path=path,
        architecture=str(values["general.architecture"]),
        precision=_FILE_TYPES.get(kind, f"type-{kind}") if isinstance(kind, int) else "unknown",
        bytes=path.stat().st_size,
        chat_template=template,
    )


def stored_types(path: Path) -> Mapping[str, float]:
    """Share of the weights that is stored as each type, the largest first.

    Raises:
        ModelError: it is no GGUF file that can be read.
    """
    weights: dict[str, int] = {}
    try:
        with path.open("rb") as opened:
            file = _Source(opened)
            tensors, _ = _read_values(file)
            for _ in range(tensors):
                tensor = _tensor(file)
                name = _TENSOR_TYPES.get(tensor.kind, f"type {tensor.kind}")
                weights[name] = weights.get(name, 0) + tensor.weights
    except (OSError, ValueError, struct.error) as error:
        raise _unreadable(path, error) from error
    total = sum(weights.values())
    ordered = sorted(weights.items(), key=lambda item: item[1], reverse=True)
    return {name: count / total for name, count in ordered}


def _unreadable(path: Path, error: Exception) -> ModelError:
    return ModelError(
        f"{path} cannot be read as a GGUF file: {error}", hint="Copy or download it again."
    )


def _tensor(file: _Source) -> _Tensor:
    _string(file)
    (dimensions,) = file.numbers("<I")
    if dimensions > _MOST_DIMENSIONS:
        raise ValueError(f"a tensor of {dimensions} dimensions")
    shape = file.numbers(f"<{dimensions}Q")
    kind, offset = file.numbers("<IQ")
    return _Tensor(kind=kind, weights=math.prod(shape), offset=offset)


def _check_places(file: _Source, tensors: int, values: Mapping[str, Scalar | _Array]) -> None:
    """Refuse a file whose tensors would lie behind its end. Goes on from the first of them."""
    alignment = values.get(_ALIGNMENT, _USUAL_ALIGNMENT)
    if (
        not isinstance(alignment, int)
        or not 0 < alignment <= _MOST_ALIGNMENT
        or alignment & (alignment - 1)
    ):
        raise ValueError(f"an alignment of {alignment!r}")
    found = [_tensor(file) for _ in range(tensors)]
    begin = -(-file.at // alignment) * alignment
    end = file.at + file.left
    for tensor in found:
        # A weight takes a bit at least, whatever its type.
        if begin + tensor.offset + tensor.weights // 8 > end:
            raise ValueError("a tensor lies behind its end")


def _read_values(file: _Source) -> tuple[int, dict[str, Scalar | _Array]]:
    """How many tensors there are, and the keys; the file is then at the first tensor."""
    if file.left < len(_MAGIC) or file.take(len(_MAGIC)) != _MAGIC:
        raise ValueError("it does not begin with GGUF")
    version, tensors, keys = file.numbers("<IQQ")
    if version not in _VERSIONS:
        raise ValueError(f"version {version} of the format is not known")
    file.check_count(keys, _SHORTEST_KEY, "keys")
    file.check_count(tensors, _SHORTEST_TENSOR, "tensors")
    values: dict[str, Scalar | _Array] = {}
    for _ in range(keys):
        key = _string(file)
        (kind,) = file.numbers("<I")
        values[key] = _value(file, kind)
    return tensors, values


def _value(file: _Source, kind: int) -> Scalar | _Array:
    if kind == _STRING:
        return _string(file)
    if kind == _ARRAY:
        part, count = file.numbers("<IQ")
        array = _Array(kind=part, count=count, offset=file.at)
        _pass_over(file, array)
        return array
    value: Scalar = file.numbers(f"<{_layout(kind)}")[0]
    return value


def _pass_over(file: _Source, array: _Array) -> None:
    if array.kind == _STRING:
        file.check_count(array.count, _SHORTEST_STRING, "texts")
        for _ in range(array.count):
            _string(file)
    else:
        file.pass_over(array.count * struct.calcsize(f"<{_layout(array.kind)}"))


def _layout(kind: int) -> str:
    if kind not in _SCALARS:
        raise ValueError(f"a value of the unknown type {kind}")
    return _SCALARS[kind]


def _string(file: _Source) -> str:
    (length,) = file.numbers("<Q")
    if length > _LONGEST_STRING:
        raise ValueError(f"a text of {length} bytes")
    return file.take(length).decode(errors="replace")


def _chat_template(file: _Source, values: Mapping[str, Scalar | _Array]) -> ChatTemplate | None:
    jinja = values.get("tokenizer.chat_template")
    if not isinstance(jinja, str):
        return None
    tokens, bos = values.get("tokenizer.ggml.tokens"), values.get("tokenizer.ggml.bos_token_id")
    if (
        not isinstance(tokens, _Array)
        or tokens.kind != _STRING
        or not isinstance(bos, int)
        or not 0 <= bos < tokens.count
    ):
        return ChatTemplate(jinja=jinja)
    file.go_to(tokens.offset)
    for _ in range(bos):
        _string(file)
    return ChatTemplate(jinja=jinja, bos=_string(file))

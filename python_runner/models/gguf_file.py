"""What a GGUF file says about itself at its beginning; the weights are not read.

The layout: `GGUF`, a version, how many tensors and how many keys there are, then each key
with its value, then each tensor with its name, shape, type and place, all little-endian.
"""

from __future__ import annotations

import math
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

Scalar = int | float | bool | str


@dataclass(frozen=True, kw_only=True)
class _Array:
    """A value of many parts, which is passed over; where its parts begin."""

    kind: int
    count: int
    offset: int


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
        with path.open("rb") as file:
            _, values = _read_values(file)
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
        with path.open("rb") as file:
            tensors, _ = _read_values(file)
            for _ in range(tensors):
                kind, count = _tensor(file)
                name = _TENSOR_TYPES.get(kind, f"type {kind}")
                weights[name] = weights.get(name, 0) + count
    except (OSError, ValueError, struct.error) as error:
        raise _unreadable(path, error) from error
    total = sum(weights.values())
    ordered = sorted(weights.items(), key=lambda item: item[1], reverse=True)
    return {name: count / total for name, count in ordered}


def _unreadable(path: Path, error: Exception) -> ModelError:
    return ModelError(
        f"{path} cannot be read as a GGUF file: {error}", hint="Copy or download it again."
    )


def _tensor(file: BinaryIO) -> tuple[int, int]:
    """The type of the next tensor, and how many weights it has."""
    _string(file)
    (dimensions,) = struct.unpack("<I", file.read(4))
    if dimensions > _MOST_DIMENSIONS:
        raise ValueError(f"a tensor of {dimensions} dimensions")
    shape = struct.unpack(f"<{dimensions}Q", file.read(8 * dimensions))
    kind, _offset = struct.unpack("<IQ", file.read(12))
    return kind, math.prod(shape)


def _read_values(file: BinaryIO) -> tuple[int, dict[str, Scalar | _Array]]:
    """How many tensors there are, and the keys; the file is then at the first tensor."""
    if file.read(4) != _MAGIC:
        raise ValueError("it does not begin with GGUF")
    version, tensors, keys = struct.unpack("<IQQ", file.read(20))
    if version not in _VERSIONS:
        raise ValueError(f"version {version} of the format is not known")
    values: dict[str, Scalar | _Array] = {}
    for _ in range(keys):
        key = _string(file)
        (kind,) = struct.unpack("<I", file.read(4))
        values[key] = _value(file, kind)
    return tensors, values


def _value(file: BinaryIO, kind: int) -> Scalar | _Array:
    if kind == _STRING:
        return _string(file)
    if kind == _ARRAY:
        part, count = struct.unpack("<IQ", file.read(12))
        array = _Array(kind=part, count=count, offset=file.tell())
        _pass_over(file, array)
        return array
    layout = f"<{_layout(kind)}"
    value: Scalar = struct.unpack(layout, file.read(struct.calcsize(layout)))[0]
    return value


def _pass_over(file: BinaryIO, array: _Array) -> None:
    if array.kind == _STRING:
        for _ in range(array.count):
            _string(file)
    else:
        file.seek(array.count * struct.calcsize(f"<{_layout(array.kind)}"), 1)


def _layout(kind: int) -> str:
    if kind not in _SCALARS:
        raise ValueError(f"a value of the unknown type {kind}")
    return _SCALARS[kind]


def _string(file: BinaryIO) -> str:
    (length,) = struct.unpack("<Q", file.read(8))
    if length > _LONGEST_STRING:
        raise ValueError(f"a text of {length} bytes")
    content = file.read(length)
    if len(content) < length:
        raise ValueError("it ends too early")
    return content.decode(errors="replace")


def _chat_template(file: BinaryIO, values: Mapping[str, Scalar | _Array]) -> ChatTemplate | None:
    jinja = values.get("tokenizer.chat_template")
    if not isinstance(jinja, str):
        return None
    tokens, bos = values.get("tokenizer.ggml.tokens"), values.get("tokenizer.ggml.bos_token_id")
    if not isinstance(tokens, _Array) or not isinstance(bos, int) or bos >= tokens.count:
        return ChatTemplate(jinja=jinja)
    file.seek(tokens.offset)
    for _ in range(bos):
        _string(file)
    return ChatTemplate(jinja=jinja, bos=_string(file))

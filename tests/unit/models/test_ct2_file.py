"""What a file of CTranslate2's weights says of itself; the files are written by hand."""

from __future__ import annotations

import math
import struct
from pathlib import Path

import pytest

from python_runner.common.errors import ModelError
from python_runner.models.ct2_file import stored_shares

F32, INT8, BF16 = 0, 1, 5
BYTES = {F32: 4, INT8: 1, BF16: 2}


def text(value: str) -> bytes:
    return struct.pack("<H", len(value) + 1) + value.encode() + b"\0"


def variable(name: str, shape: tuple[int, ...], kind: int) -> bytes:
    size = math.prod(shape) * BYTES[kind]
    head = struct.pack("<B", len(shape)) + struct.pack(f"<{len(shape)}I", *shape)
    return text(name) + head + struct.pack("<BI", kind, size) + bytes(size)


def written(path: Path, *variables: bytes, version: int = 6) -> Path:
    head = struct.pack("<I", version) + text("TransformerDecoderSpec") + struct.pack("<I", 8)
    path.write_bytes(head + struct.pack("<I", len(variables)) + b"".join(variables))
    return path


def test_shares_are_of_weights_and_the_largest_comes_first(tmp_path: Path) -> None:
    file = written(
        tmp_path / "model.bin",
        variable("norm/gamma", (4,), BF16),
        variable("projection/weight", (3, 4), INT8),
        variable("num_heads", (), F32),
    )
    assert stored_shares(file) == {"int8": 0.75, "bf16": 0.25}


@pytest.mark.parametrize("keep", [0, 3, 30, -1])
def test_one_that_ends_too_early_is_told(tmp_path: Path, keep: int) -> None:
    file = written(tmp_path / "model.bin", variable("weight", (8, 8), F32))
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(ModelError, match="cannot be read as weights of CTranslate2"):
        stored_shares(file)


def test_another_version_is_not_guessed_at(tmp_path: Path) -> None:
    file = written(tmp_path / "model.bin", version=7)
    with pytest.raises(ModelError, match="version 7 of the format"):
        stored_shares(file)

"""Files of a model that are not what they say: sizes, places, a configuration."""

from __future__ import annotations

import json
import shutil
import struct
import tracemalloc
from pathlib import Path

import pytest

from python_runner.common.errors import ModelError, PolystackError
from python_runner.models.folder import INDEX
from python_runner.models.source import find_source
from tests.faults.fault import fault

MOST_BYTES = 1 << 20


def safetensors(header: object, *, length: int | None = None, data: bytes = b"\0" * 8) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def tensor(begin: int, end: int, *shape: int) -> dict[str, object]:
    return {"dtype": "F16", "shape": list(shape), "data_offsets": [begin, end]}


LIES: dict[str, bytes] = {
    "a header of 2^60 bytes": safetensors({}, length=1 << 60),
    "a header longer than the file": safetensors({}, length=4096),
    "tensors behind the end": safetensors({"a": tensor(0, 1 << 40, 1 << 39)}),
    "tensors that overlap": safetensors({"a": tensor(0, 8, 4), "b": tensor(4, 8, 2)}),
    "a shape that is not its size": safetensors({"a": tensor(0, 8, 1 << 40)}),
    "a shape of 2^64 numbers": safetensors({"a": tensor(0, 8, 1 << 32, 1 << 32)}),
    "a header nested 100,000 deep": safetensors(b"[" * 100_000),
    "no header": b"",
}


def gguf(tensors: int, keys: int, rest: bytes = b"") -> bytes:
    return b"GGUF" + struct.pack("<IQQ", 3, tensors, keys) + rest


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value)) + value.encode()


def key(name: str, kind: int, value: bytes) -> bytes:
    return text(name) + struct.pack("<I", kind) + value


ARCHITECTURE = key("general.architecture", 8, text("llama"))
PLACED = text("a") + struct.pack("<IQIQ", 1, 4, 0, 1 << 60)
HUGE = text("a") + struct.pack("<IQQIQ", 2, 1 << 40, 1 << 40, 0, 0)
GGUF_LIES: dict[str, bytes] = {
    "2^60 keys": gguf(0, 1 << 60, ARCHITECTURE),
    "2^60 tensors": gguf(1 << 60, 1, ARCHITECTURE),
    "a text of 2^60 bytes": gguf(0, 1, struct.pack("<Q", 1 << 60)),
    "a text beyond its end": gguf(0, 1, struct.pack("<Q", 1 << 25)),
    "a list of 2^60 numbers": gguf(0, 1, key("x", 9, struct.pack("<IQ", 10, 1 << 60))),
    "a list of 2^60 texts": gguf(0, 1, key("x", 9, struct.pack("<IQ", 8, 1 << 60))),
    "lists within lists": gguf(0, 1, key("x", 9, struct.pack("<IQ", 9, 3))),
    "an alignment of 0": gguf(
        0, 2, ARCHITECTURE + key("general.alignment", 4, struct.pack("<I", 0))
    ),
    "an alignment that is no power of 2": gguf(
        0, 2, ARCHITECTURE + key("general.alignment", 4, struct.pack("<I", 33))
    ),
    "tensors behind the end": gguf(1, 1, ARCHITECTURE + PLACED),
    "tensors of 2^80 weights": gguf(1, 1, ARCHITECTURE + HUGE),
}


def lies(what: str, cases: dict[str, bytes]) -> pytest.MarkDecorator:
    return fault(
        f"a file of weights lies about its sizes ({what})",
        injected=", ".join(cases),
        seen="the file is named, and what is wrong with it; exit code 4",
        kept="nothing was begun; less than 1 MiB was allocated",
    )


@pytest.mark.parametrize(
    ("name", "content"),
    [
        *(
            pytest.param("model.safetensors", content, id=what, marks=lies("safetensors", LIES))
            for what, content in LIES.items()
        ),
        *(
            pytest.param("model.gguf", content, id=what, marks=lies("GGUF", GGUF_LIES))
            for what, content in GGUF_LIES.items()
        ),
    ],
)
def test_a_file_that_lies_about_its_sizes(model: Path, name: str, content: bytes) -> None:
    (model / name).write_bytes(content)
    reference = model / name if name.endswith(".gguf") else model
    import safetensors as _imported  # noqa: F401 - counted otherwise

    tracemalloc.start()
    try:
        with pytest.raises(ModelError) as raised:
            find_source(str(reference))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert name in raised.value.message
    assert raised.value.hint
    assert most < MOST_BYTES


@fault(
    "the index of a model's weights names a file elsewhere",
    injected="`..`, a whole path, a folder and a pickle in model.safetensors.index.json",
    seen="the index is refused; exit code 4",
    kept="nothing was begun, and that file was not opened",
)
@pytest.mark.parametrize(
    "named", ["../outside.safetensors", "/outside.safetensors", "sub/x.safetensors", "x.bin"]
)
def test_an_index_that_names_files_elsewhere(model: Path, named: str) -> None:
    shutil.copy(model / "model.safetensors", model.parent / "outside.safetensors")
    (model / INDEX).write_text(json.dumps({"weight_map": {"a": named}}))
    with pytest.raises(ModelError, match="no safetensors beside it"):
        find_source(str(model))


@fault(
    "a configuration is not what its name says",
    injected="a list, a number, 100,000 open brackets, and quantisation that is a text",
    seen="the file is named; exit code 4",
    kept="nothing was begun",
)
@pytest.mark.parametrize("content", ["[]", "7", "[" * 100_000, '{"quantization_config": "x"'])
def test_a_configuration_that_is_none(model: Path, content: str) -> None:
    (model / "config.json").write_text(content)
    with pytest.raises(PolystackError, match=r"config\.json"):
        find_source(str(model))

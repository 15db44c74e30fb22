"""A GGUF file is read at its beginning, and a broken one is an error that says so."""

import hashlib
import json
import struct
from pathlib import Path

import pytest

from python_runner.common.errors import ModelError, UsageError
from python_runner.common.progress import SilentProgress
from python_runner.models import prepare_model
from python_runner.models.chat import ChatTemplate
from python_runner.models.gguf_file import read_gguf, stored_types
from python_runner.models.ollama_library import pulled_model, users_folders
from python_runner.models.source import find_source

UINT32, BOOL, STRING, ARRAY = 4, 7, 8, 9


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value.encode())) + value.encode()


def strings(*values: str) -> bytes:
    return struct.pack("<IQ", STRING, len(values)) + b"".join(map(text, values))


def gguf(**more: tuple[int, bytes]) -> bytes:
    """The beginning of a file with a few keys of every kind."""
    keys: dict[str, tuple[int, bytes]] = {
        "general.architecture": (STRING, text("llama")),
        "general.file_type": (UINT32, struct.pack("<I", 15)),
        "tokenizer.ggml.scores": (ARRAY, struct.pack("<IQ3f", 6, 3, 0.0, 1.0, 2.0)),
        "tokenizer.ggml.tokens": (ARRAY, strings("a", "<s>", "ü")),
        "tokenizer.ggml.bos_token_id": (UINT32, struct.pack("<I", 1)),
        "tokenizer.ggml.add_bos_token": (BOOL, b"\1"),
        **{name.replace("__", "."): value for name, value in more.items()},
    }
    head = b"GGUF" + struct.pack("<IQQ", 3, 0, len(keys))
    return head + b"".join(text(k) + struct.pack("<I", kind) + v for k, (kind, v) in keys.items())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "Some Model-Q4_K_M.gguf"
    path.write_bytes(gguf())
    return path


def test_what_it_says_about_itself(file: Path) -> None:
    facts = read_gguf(file)
    assert (facts.architecture, facts.precision) == ("llama", "q4_k_m")
    assert facts.bytes == file.stat().st_size
    assert facts.chat_template is None


def tensor(name: str, kind: int, *shape: int) -> bytes:
    size = struct.pack(f"<I{len(shape)}Q", len(shape), *shape)
    return text(name) + size + struct.pack("<IQ", kind, 0)


def with_tensors(*tensors: bytes) -> bytes:
    empty = gguf()
    return empty[:8] + struct.pack("<Q", len(tensors)) + empty[16:] + b"".join(tensors)


def test_the_tensors_are_counted_by_what_they_are_stored_as(file: Path) -> None:
    file.write_bytes(
        with_tensors(
            tensor("token_embd.weight", 14, 256, 100),
            tensor("blk.0.ffn_up.weight", 12, 256, 290),
            tensor("blk.0.ffn_norm.weight", 0, 2560),
            tensor("blk.0.new.weight", 99, 256),
        )
    )
    shares = stored_types(file)
    assert list(shares) == ["Q4_K", "Q6_K", "f32", "type 99"]
    assert sum(shares.values()) == pytest.approx(1)
    assert shares["Q4_K"] == pytest.approx(290 / 401)


def test_tensors_that_cannot_be_read_are_a_model_error(file: Path) -> None:
    whole = with_tensors(tensor("token_embd.weight", 14, 256, 100))
    for broken in (whole[:-4], with_tensors(tensor("x", 0, *range(9)))):
        file.write_bytes(broken)
        with pytest.raises(ModelError, match="cannot be read as a GGUF file"):
            stored_types(file)


def test_a_chat_template_comes_with_the_mark_that_is_put_first(file: Path) -> None:
    file.write_bytes(gguf(tokenizer__chat_template=(STRING, text("{{ x }}"))))
    assert read_gguf(file).chat_template == ChatTemplate(jinja="{{ x }}", bos="<s>")


def test_an_unknown_kind_of_weights_is_told_as_its_number(file: Path) -> None:
    file.write_bytes(gguf(general__file_type=(UINT32, struct.pack("<I", 77))))
    assert read_gguf(file).precision == "type-77"


@pytest.mark.parametrize("keep", [0, 3, 10, 40, 100, 200])
def test_a_file_that_is_cut_short(file: Path, keep: int) -> None:
    file.write_bytes(gguf()[:keep])
    with pytest.raises(ModelError, match="cannot be read as a GGUF file"):
        read_gguf(file)


@pytest.mark.parametrize(
    "content",
    [
        b"PK\3\4 something else",
        b"GGUF" + struct.pack("<IQQ", 1, 0, 0),
        b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + struct.pack("<Q", 1 << 60),
        gguf(odd=(99, b"")),
    ],
)
def test_what_is_no_such_file(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    with pytest.raises(ModelError, match="cannot be read as a GGUF file"):
        read_gguf(file)


def test_one_part_of_several_is_refused(file: Path) -> None:
    file.write_bytes(gguf(split__count=(2, struct.pack("<H", 3))))
    with pytest.raises(ModelError, match="one part of 3") as raised:
        read_gguf(file)
    assert "--merge" in raised.value.hint


def test_it_is_a_model_of_its_own(file: Path, cache: Path) -> None:
    model = prepare_model(str(file), {"bf16"}, SilentProgress())
    assert model.name == "Some-Model-Q4_K_M"
    assert model.label == "Some Model-Q4_K_M"
    assert model.gguf == {"q4_k_m": file}
    assert not model.has_safetensors
    assert model.source_sha256 == hashlib.sha256(file.read_bytes()).hexdigest()


def test_its_hash_is_computed_once(
    file: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = prepare_model(str(file), (), SilentProgress())
    monkeypatch.setattr(hashlib, "sha256", lambda *_: pytest.fail("read again"))
    monkeypatch.setattr("python_runner.models.cards.record_beside", lambda *_: find_record(cache))
    assert prepare_model(str(file), (), SilentProgress()) == first


def find_record(cache: Path) -> Path:
    (record,) = (cache / "models").glob("*.fingerprint.json")
    return record


@pytest.fixture
def ollama(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's Ollama with one model in it."""
    folder = tmp_path / "user's ollama"
    monkeypatch.setenv("OLLAMA_MODELS", str(folder))
    pull(folder, "library/gemma2/2b", gguf())
    return folder


def pull(folder: Path, path: str, content: bytes, *more: str) -> Path:
    digest = hashlib.sha256(content).hexdigest()
    blob = folder / "blobs" / f"sha256-{digest}"
    blob.parent.mkdir(parents=True, exist_ok=True)
    blob.write_bytes(content)
    manifest = folder / "manifests" / "some.host" / path
    manifest.parent.mkdir(parents=True, exist_ok=True)
    kinds = {"model": digest, **dict.fromkeys(more, "0" * 64)}
    layers = [
        {"mediaType": f"application/vnd.ollama.image.{kind}", "digest": f"sha256:{sha256}"}
        for kind, sha256 in kinds.items()
    ]
    config = {"mediaType": "application/json", "digest": f"sha256:{'1' * 64}"}
    manifest.write_text(json.dumps({"config": config, "layers": layers}))
    return blob


def test_what_was_pulled_into_ollama_is_found(ollama: Path, cache: Path) -> None:
    source = find_source("ollama:gemma2:2b")
    assert source.gguf is not None
    assert source.gguf.precision == "q4_k_m"
    assert source.name == "gemma2-2b"
    assert source.label == "gemma2:2b as pulled into Ollama"
    model = prepare_model("ollama:gemma2:2b", {"bf16"}, SilentProgress())
    assert model.source_sha256 == source.sha256


@pytest.mark.parametrize(
    ("name", "path"),
    [("tiny", "library/tiny/latest"), ("me/mine:v1", "me/mine/v1"), ("a.b/me/x:y", "me/x/y")],
)
def test_parts_of_a_name_have_defaults(ollama: Path, name: str, path: str) -> None:
    blob = pull(ollama, path, gguf(x=(BOOL, b"\1")))
    if name.startswith("a.b"):
        (ollama / "manifests" / "some.host").rename(ollama / "manifests" / "a.b")
    assert pulled_model(name).gguf == blob


@pytest.mark.parametrize("name", ["gemma3", "../../etc/passwd", "a/b/c/d", "", "gemma2:*"])
def test_a_model_that_ollama_has_not(ollama: Path, name: str) -> None:
    with pytest.raises(UsageError):
        find_source(f"ollama:{name}")


def test_what_ollama_has_is_offered(ollama: Path) -> None:
    with pytest.raises(UsageError, match="gemma9") as raised:
        find_source("ollama:gemma9")
    assert "gemma2:2b" in raised.value.hint


@pytest.mark.parametrize("more", ["adapter", "projector"])
def test_weights_of_several_files_are_refused(ollama: Path, more: str) -> None:
    pull(ollama, "library/several/latest", gguf(), more)
    with pytest.raises(ModelError, match=more):
        find_source("ollama:several")


def test_a_pull_that_was_damaged_is_told(ollama: Path, cache: Path) -> None:
    (blob,) = (ollama / "blobs").iterdir()
    blob.write_bytes(gguf() + b"!")
    with pytest.raises(ModelError, match="is damaged"):
        prepare_model("ollama:gemma2:2b", {"bf16"}, SilentProgress())
    blob.unlink()
    with pytest.raises(ModelError, match="are missing"):
        find_source("ollama:gemma2:2b")


def test_without_a_folder_of_its_own_ollama_is_at_home(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("OLLAMA_MODELS", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert users_folders()[0] == tmp_path / ".ollama" / "models"

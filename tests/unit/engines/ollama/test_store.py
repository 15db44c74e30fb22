"""Files get into Ollama's store without a copy where that can be, and leave it again."""

from __future__ import annotations

import errno
import hashlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import ollama
import pytest

from python_runner.engines.ollama.store import OllamaStore, model_name


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class FakeClient:
    """Notes what it was asked for."""

    def __init__(self) -> None:
        self.created: list[str] = []
        self.uploaded: list[Path] = []
        self.deleted: list[str] = []

    def create(self, model: str, *, files: dict[str, str], template: str) -> None:
        self.created.append(model)

    def create_blob(self, path: Path) -> None:
        self.uploaded.append(path)

    def delete(self, model: str) -> None:
        self.deleted.append(model)
        raise ollama.ResponseError("no such model", 404)


@contextmanager
def blob_server(status: int) -> Iterator[str]:
    """A server that answers every HEAD with `status`."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response(status)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def gguf(tmp_path: Path) -> Path:
    path = tmp_path / "m.gguf"
    path.write_bytes(b"weights")
    return path


@pytest.fixture
def store(tmp_path: Path) -> OllamaStore:
    return OllamaStore(tmp_path / "store")


def add(store: OllamaStore, client: FakeClient, gguf: Path, *, status: int = 200) -> str:
    anything: Any = client
    with blob_server(status) as url:
        return store.add(anything, url, gguf)


def test_a_hash_is_computed_once(
    store: OllamaStore, gguf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert store.hash_of(gguf) == sha256(b"weights")
    monkeypatch.setattr(hashlib, "file_digest", lambda *_: pytest.fail("read again"))
    assert store.hash_of(gguf) == sha256(b"weights")


def test_a_changed_file_is_read_again(store: OllamaStore, gguf: Path) -> None:
    store.hash_of(gguf)
    gguf.write_bytes(b"other weights")
    assert store.hash_of(gguf) == sha256(b"other weights")


@pytest.mark.parametrize("index", ["", "[]x", '{"a": {"size": 1}}'])
def test_a_broken_index_costs_time_only(
    store: OllamaStore, gguf: Path, tmp_path: Path, index: str
) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "hashes.json").write_text(index)
    assert store.hash_of(gguf) == sha256(b"weights")


def test_a_file_is_linked_into_the_store(store: OllamaStore, gguf: Path) -> None:
    client = FakeClient()
    assert add(store, client, gguf) == "link"
    blob = store.models / "blobs" / f"sha256-{sha256(b'weights')}"
    assert blob.samefile(gguf)
    assert client.created == [model_name(sha256(b"weights"))]
    assert client.uploaded == []


def test_a_link_that_is_there_is_no_error(store: OllamaStore, gguf: Path) -> None:
    add(store, FakeClient(), gguf)
    assert add(store, FakeClient(), gguf) == "link"


def test_what_the_server_does_not_find_is_sent(store: OllamaStore, gguf: Path) -> None:
    client = FakeClient()
    assert add(store, client, gguf, status=404) == "copy"
    assert client.uploaded == [gguf]


def test_what_cannot_be_linked_is_sent(
    store: OllamaStore, gguf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object) -> None:
        raise OSError(errno.EXDEV, "another file system")

    monkeypatch.setattr(os, "link", refuse)
    client = FakeClient()
    assert add(store, client, gguf) == "copy"
    assert client.uploaded == [gguf]


def test_models_of_files_that_are_gone_or_changed_are_deleted(
    store: OllamaStore, gguf: Path, tmp_path: Path
) -> None:
    gone, changed = tmp_path / "gone.gguf", tmp_path / "changed.gguf"
    for path in (gone, changed):
        path.write_bytes(path.name.encode())
        store.hash_of(path)
    gone.unlink()
    changed.write_bytes(b"new")
    client = FakeClient()
    add(store, client, gguf)
    assert set(client.deleted) == {
        model_name(sha256(b"gone.gguf")),
        model_name(sha256(b"changed.gguf")),
    }
    again = FakeClient()
    add(store, again, gguf)
    assert again.deleted == []

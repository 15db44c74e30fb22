"""Fetching with the real huggingface_hub, from a hub of our own on 127.0.0.1."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
from huggingface_hub import constants

from python_runner.common.errors import ModelError
from python_runner.common.progress import SilentProgress
from python_runner.models import ModelCard, cards, prepare_model
from python_runner.models.fingerprint import model_files

TINY = cards.models_dir() / "gemma-2-tiny"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
REPO = "somebody/tiny-it"
WEIGHTS = "model.safetensors"
LARGE = (".safetensors", ".model")


@dataclass
class Hub:
    """What the server has, and what it was asked."""

    files: dict[str, bytes]
    is_gated: bool = False
    breaks_off: bool = False
    ranges: list[str] = field(default_factory=list)
    lies_about: str = ""

    def tree(self) -> list[dict[str, Any]]:
        return [self._entry(name, content) for name, content in self.files.items()]

    def _entry(self, name: str, content: bytes) -> dict[str, Any]:
        entry = {"type": "file", "path": name, "size": len(content), "oid": git_hash(content)}
        if name.endswith(LARGE):
            entry["lfs"] = {"oid": self.etag(name), "size": len(content), "pointerSize": 100}
        return entry

    def etag(self, name: str) -> str:
        content = self.files[name] + (b"?" if name == self.lies_about else b"")
        if name.endswith(LARGE):
            return hashlib.sha256(content).hexdigest()
        return git_hash(content)


def git_hash(content: bytes) -> str:
    header = f"blob {len(content)}\0".encode()
    return hashlib.sha1(header + content, usedforsecurity=False).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """The few addresses that huggingface_hub asks for a model's files."""

    protocol_version = "HTTP/1.1"
    hub: Hub

    def do_HEAD(self) -> None:
        self.answer()

    def do_GET(self) -> None:
        self.answer()

    def answer(self) -> None:
        path = self.path.partition("?")[0]
        if self.hub.is_gated:
            self.reply(403, b"Access to model is restricted.", {"X-Error-Code": "GatedRepo"})
        elif found := re.fullmatch(rf"/{REPO}/resolve/{COMMIT}/(.+)", path):
            self.give(found[1])
        elif "/tree/" in path:
            self.reply(200, json.dumps(self.hub.tree()).encode())
        else:
            info = {"id": REPO, "modelId": REPO, "sha": COMMIT, "siblings": [], "tags": []}
            self.reply(200, json.dumps({**info, "private": False, "downloads": 0}).encode())

    def give(self, name: str) -> None:
        content, etag = self.hub.files[name], f'"{self.hub.etag(name)}"'
        headers = {
            "ETag": etag,
            "X-Linked-Etag": etag,
            "X-Linked-Size": str(len(content)),
            "X-Repo-Commit": COMMIT,
            "Accept-Ranges": "bytes",
        }
        wanted = self.headers.get("Range")
        if wanted and self.command == "GET":
            self.hub.ranges.append(wanted)
            start = int(wanted.removeprefix("bytes=").partition("-")[0])
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
            self.reply(206, content[start:], headers)
        else:
            self.reply(200, content, headers, cut=self.hub.breaks_off and name == WEIGHTS)

    def reply(
        self,
        status: int,
        content: bytes,
        headers: dict[str, str] | None = None,
        *,
        cut: bool = False,
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content[: len(content) // 2] if cut else content)
            self.close_connection = cut

    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def serving(hub: Hub) -> Iterator[str]:
    handler = type("HubHandler", (Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub with the tiny model under another name, which is all that there is."""
    described = cards.require_model("gemma-2-tiny").model_dump()
    described |= {"name": "tiny-it", "label": "Tiny-it", "sha256": "", "licence": "Tiny Terms"}
    card = ModelCard.model_validate({**described, "hub": {"repo": REPO, "gated": True}})
    monkeypatch.setattr(cards, "catalogue", lambda: (card,))
    monkeypatch.setattr(cards, "models_dir", lambda: tmp_path / "checkout")
    monkeypatch.setattr(cards, "cache_dir", lambda: tmp_path / "cache")
    monkeypatch.setattr(huggingface_hub, "get_token", lambda: "hf_made_up")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        for variable in (name, name.lower()):
            monkeypatch.delenv(variable, raising=False)
    there = Hub({path.name: path.read_bytes() for path in model_files(TINY)})
    there.files["README.md"] = b"not wanted"
    with serving(there) as url:
        monkeypatch.setattr(constants, "ENDPOINT", url)
        template = url + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        yield there


def prepared() -> Path:
    return prepare_model("tiny-it", (), SilentProgress()).folder


def test_all_that_makes_the_model_is_fetched_and_nothing_else(hub: Hub) -> None:
    folder = prepared()
    assert folder.name == COMMIT
    assert {path.name for path in folder.iterdir()} == {path.name for path in model_files(TINY)}
    weights = folder / WEIGHTS
    assert weights.read_bytes() == (TINY / WEIGHTS).read_bytes()


def test_what_broke_off_is_gone_on_with(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 1 << 16)
    hub.breaks_off = True
    folder = prepared()
    assert hub.ranges, "the second half only was asked for"
    weights = folder / WEIGHTS
    assert weights.read_bytes() == (TINY / WEIGHTS).read_bytes()


def test_the_licence_notice_is_passed_on(hub: Hub) -> None:
    hub.is_gated = True
    with pytest.raises(ModelError, match="Access to model is restricted") as raised:
        prepared()
    assert "Accept the licence" in raised.value.hint


def test_a_file_with_another_hash_than_promised_is_refused(hub: Hub) -> None:
    hub.lies_about = WEIGHTS
    with pytest.raises(ModelError, match="the hub gives its hash as"):
        prepared()


def test_a_hub_that_is_not_there(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(ModelError, match="could not be fetched") as raised:
        prepared()
    assert "models/tiny-it/" in raised.value.hint

"""The models that Ollama has taken in, in a folder of their own.

Ollama runs nothing but what lies in its own store, under the hash of its contents. Where
the file system allows, the GGUF file is linked into the store instead of copied: Ollama
writes a blob once and never again, and we replace GGUF files by new ones instead of
writing into them, so neither side can change the other's bytes.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import httpx
import ollama

from python_runner.common.locations import ollama_dir
from python_runner.models.ollama_library import forget, manifests

_NAME_CHARACTERS = 16
# By the end of the name Ollama knows what it is; the user's file may be called anything.
_FILE_NAME = "model.gguf"
# The link would cross a file system, or the file system knows no links or allows no more.
_NO_LINK = (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP, errno.EACCES)


@dataclass(frozen=True, kw_only=True)
class _Known:
    """A file whose hash was computed once."""

    size: int
    modified_ns: int
    sha256: str


class OllamaStore:
    """Ollama's folder, and which of our files are in it."""

    def __init__(self, root: Path | None = None) -> None:
        self._root = root or ollama_dir()
        self._index = self._root / "hashes.json"

    @property
    def models(self) -> Path:
        """What Ollama calls its models folder."""
        return self._root / "models"

    @property
    def home(self) -> Path:
        """A home folder for Ollama, so that it neither reads nor writes the user's."""
        return self._root / "home"

    def hash_of(self, gguf: Path) -> str:
        """SHA-256 of the file. Read through once, then known by its size and date."""
        known = self._known()
        found = known.get(str(gguf))
        if found is not None and _is_unchanged(gguf, found):
            return found.sha256
        status = gguf.stat()
        with gguf.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        fresh = _Known(size=status.st_size, modified_ns=status.st_mtime_ns, sha256=sha256)
        self._remember({**known, str(gguf): fresh})
        return sha256

    def add(self, client: ollama.Client, url: str, gguf: Path) -> Literal["link", "copy"]:
        """Make a model of `gguf` on a running server; says how the file came into the store.

        Models of files that are gone or have changed are deleted: each holds gigabytes.

        Raises what the client raises.
        """
        sha256 = self.hash_of(gguf)
        self._drop_stale(client)
        how = self._add_blob(client, url, gguf, sha256)
        # Without a template of its own the model would get one that Ollama guesses.
        client.create(
            model_name(sha256), files={_FILE_NAME: f"sha256:{sha256}"}, template="{{ .Prompt }}"
        )
        return how

    def blobs(self) -> Mapping[Path, Path]:
        """The files that were taken in and are still in the store: our file to its blob."""
        known = {Path(name): self._blob(entry.sha256) for name, entry in self._known().items()}
        return {gguf: blob for gguf, blob in known.items() if blob.is_file()}

    def remove(self, gguf: Path) -> None:
        """Remove the model made of `gguf`, with its blob. No server may be using the store."""
        known = self._known()
        entry = known.pop(str(gguf), None)
        if entry is None:
            return
        self._remember(known)
        if entry.sha256 in {other.sha256 for other in known.values()}:
            return  # another file with the same contents
        name = model_name(entry.sha256)
        for manifest in manifests(self.models):
            if manifest.parent.name == name:
                forget(self.models, manifest)
        # It may never have become a model.
        self._blob(entry.sha256).unlink(missing_ok=True)

    def _blob(self, sha256: str) -> Path:
        return self.models / "blobs" / f"sha256-{sha256}"

    def _add_blob(
        self, client: ollama.Client, url: str, gguf: Path, sha256: str
    ) -> Literal["link", "copy"]:
        blob = self._blob(sha256)
        blob.parent.mkdir(parents=True, exist_ok=True)
        if _link(gguf, blob):
            # The server has the last word on whether this is where blobs lie.
            answer = httpx.head(f"{url}/api/blobs/sha256:{sha256}", trust_env=False)
            if answer.status_code == httpx.codes.OK:
                return "link"
        client.create_blob(gguf)
        return "copy"

    def _drop_stale(self, client: ollama.Client) -> None:
        known = self._known()
        current = {name: entry for name, entry in known.items() if _is_unchanged(Path(name), entry)}
        kept = {entry.sha256 for entry in current.values()}
        for sha256 in {entry.sha256 for entry in known.values()} - kept:
            # It may never have become a model.
            with contextlib.suppress(ollama.ResponseError):
                client.delete(model_name(sha256))
        self._remember(current)

    def _known(self) -> dict[str, _Known]:
        try:
            entries = json.loads(self._index.read_text(encoding="utf-8"))
            return {name: _Known(**entry) for name, entry in entries.items()}
        except (FileNotFoundError, ValueError, TypeError):
            return {}  # nothing is lost but the time to read the files again

    def _remember(self, known: Mapping[str, _Known]) -> None:
        self._root.mkdir(parents=True, exist_ok=True)
        fresh = self._index.with_suffix(f".{os.getpid()}")
        text = json.dumps({name: asdict(entry) for name, entry in known.items()}, indent=2)
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(self._index)


def model_name(sha256: str) -> str:
    """What the model made of the file with this hash is called in Ollama."""
    return f"polystack-{sha256[:_NAME_CHARACTERS]}"


def _is_unchanged(path: Path, known: _Known) -> bool:
    try:
        status = path.stat()
    except OSError:
        return False
    return (status.st_size, status.st_mtime_ns) == (known.size, known.modified_ns)


def _link(gguf: Path, blob: Path) -> bool:
    """Whether `blob` is there now without a copy having been made."""
    try:
        blob.hardlink_to(gguf.resolve())
    except FileExistsError:
        return True
    except OSError as error:
        if error.errno in _NO_LINK:
            return False
        raise
    return True

"""Where a model comes from: the catalogue, or a path of the user's."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from python_runner.common.errors import UsageError
from python_runner.models import cards
from python_runner.models.cards import ModelCard
from python_runner.models.folder import inspect_folder
from python_runner.models.gguf_file import GgufFacts, read_gguf
from python_runner.models.hub import revision_of
from python_runner.models.ollama_library import pulled_model

OLLAMA_PREFIX = "ollama:"
BYTES_PER_WEIGHT = 2
"""In bfloat16."""
_WHAT_TO_GIVE = (
    "Give the folder that holds config.json and safetensors, or a GGUF file, or ollama:NAME for "
    "what you have pulled into Ollama."
)
_REVISION_DIGITS = 8
_UNFIT_FOR_FILE_NAMES = re.compile(r"[^\w.+-]+", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Source:
    """A model before anything is made of it."""

    name: str
    """Fit for file names."""
    label: str
    is_synthetic: bool
    folder: Path
    """Of the safetensors, made or not; of a GGUF file alone, the one that it lies in."""
    bytes: int
    """Size of all weights in bfloat16, in safetensors or GGUF; of a GGUF file alone, its own."""
    card: ModelCard | None = None
    """Its manifest, if it is in the catalogue."""
    gguf: GgufFacts | None = None
    """The file, if the model is a GGUF file alone."""
    sha256: str = ""
    """What the hash of that file must be, where it is known."""

    @property
    def record(self) -> Path:
        """Where the fingerprint of `folder` is kept: in the cache, never in a user's folder."""
        if self.card and self.card.random:
            return self.card.record
        return cards.record_beside(self.name, self.gguf.path if self.gguf else self.folder)

    @property
    def is_ready(self) -> bool:
        """Whether the weights are on this disk."""
        return self.folder.is_dir() and (
            self.card is None or self.card.random is None or self.record.is_file()
        )


def find_source(reference: str) -> Source:
    """What `reference` means.

    Args:
        reference: a name of the catalogue; the path of a folder of safetensors or of a GGUF
            file; or `ollama:` and the name of a model that the user has pulled.

    Raises:
        UnknownNameError: neither a model of that name nor a path.
        UsageError: a path where nothing lies, or no model, or a model that Ollama has not.
        ModelError: what lies there cannot be run.
    """
    if reference.startswith(OLLAMA_PREFIX):
        return _pulled(reference.removeprefix(OLLAMA_PREFIX))
    known = {card.name: card for card in cards.catalogue()}
    if reference in known:
        return listed_source(known[reference])
    path = Path(reference).expanduser()
    if not path.exists():
        if is_path(reference):
            raise UsageError(f"no model lies at {reference}", hint=_WHAT_TO_GIVE)
        return listed_source(cards.require_model(reference))  # which says what names there are
    if path.is_dir():
        return _users_folder(path.resolve())
    if path.suffix == ".gguf":
        return _gguf_alone(path.stem, path.stem, read_gguf(path.resolve()))
    raise UsageError(
        f"{reference} is neither a folder of safetensors nor a GGUF file", hint=_WHAT_TO_GIVE
    )


def is_path(reference: str) -> bool:
    """Whether the user can only have meant a path."""
    return reference.startswith((".", "~")) or os.sep in reference


def listed_source(card: ModelCard) -> Source:
    """A model of the catalogue; looks for it on this disk."""
    folder = card.folder
    revision = revision_of(folder) if card.hub else ""
    return Source(
        name=card.name,
        label=f"{card.label} ({revision[:_REVISION_DIGITS]})" if revision else card.label,
        is_synthetic=card.is_synthetic,
        folder=folder,
        bytes=card.shape.parameters * BYTES_PER_WEIGHT,
        card=card,
    )


def _users_folder(folder: Path) -> Source:
    return Source(
        name=file_name_of(folder.name),
        label=folder.name,
        is_synthetic=False,
        folder=folder,
        bytes=inspect_folder(folder).parameters * BYTES_PER_WEIGHT,
    )


def _gguf_alone(name: str, label: str, facts: GgufFacts, sha256: str = "") -> Source:
    return Source(
        name=file_name_of(name),
        label=label,
        is_synthetic=False,
        folder=facts.path.parent,
        bytes=facts.bytes,
        gguf=facts,
        sha256=sha256,
    )


def _pulled(name: str) -> Source:
    found = pulled_model(name)
    return _gguf_alone(name, f"{name} as pulled into Ollama", read_gguf(found.gguf), found.sha256)


def file_name_of(text: str) -> str:
    """`text` without what does not belong into the name of a file."""
    return _UNFIT_FOR_FILE_NAMES.sub("-", text).strip("-.") or "model"

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
from python_runner.models.hub import revision_of

_BYTES_PER_WEIGHT = 2
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
    """Of the safetensors, made or not."""
    parameters: int
    """Number of weights."""
    card: ModelCard | None = None
    """Its manifest, if it is in the catalogue."""

    @property
    def bf16_bytes(self) -> int:
        """Size of all weights in bfloat16, in safetensors or GGUF."""
        return self.parameters * _BYTES_PER_WEIGHT

    @property
    def record(self) -> Path:
        """Where the fingerprint of `folder` is kept: in the cache, never in a user's folder."""
        if self.card and self.card.random:
            return self.card.record
        return cards.record_beside(self.name, self.folder)

    @property
    def is_ready(self) -> bool:
        """Whether the weights are on this disk."""
        return self.folder.is_dir() and (
            self.card is None or self.card.random is None or self.record.is_file()
        )


def find_source(reference: str) -> Source:
    """What `reference` means: a name of the catalogue, or the path of a model's folder.

    Raises:
        UnknownNameError: neither a model of that name nor a path.
        UsageError: a path where nothing lies, or something that is no folder.
        ModelError: the folder holds no model that can be run.
    """
    known = {card.name: card for card in cards.catalogue()}
    if reference in known:
        return listed_source(known[reference])
    path = Path(reference).expanduser()
    if not path.exists():
        if is_path(reference):
            raise UsageError(
                f"no model lies at {reference}", hint="Give the folder of its safetensors."
            )
        return listed_source(cards.require_model(reference))  # which says what names there are
    if not path.is_dir():
        raise UsageError(
            f"{reference} is no folder of safetensors",
            hint="Give the folder that holds config.json and the weights.",
        )
    return _users_folder(path.resolve())


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
        parameters=card.shape.parameters,
        card=card,
    )


def _users_folder(folder: Path) -> Source:
    return Source(
        name=file_name_of(folder.name),
        label=folder.name,
        is_synthetic=False,
        folder=folder,
        parameters=inspect_folder(folder).parameters,
    )


def file_name_of(text: str) -> str:
    """`text` without what does not belong into the name of a file."""
    return _UNFIT_FOR_FILE_NAMES.sub("-", text).strip("-.") or "model"

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

_BYTES_PER_WEIGHT = 2
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
        """Where the fingerprint of `folder` is kept."""
        return self.card.record if self.card else cards.record_beside(self.name, self.folder)


def find_source(reference: str) -> Source:
    """What `reference` means: a name of the catalogue, or the path of a model's folder.

    Raises:
        UnknownNameError: neither a model of that name nor a path.
        UsageError: a path where nothing lies, or something that is no folder.
        ModelError: the folder holds no model that can be run.
    """
    known = {card.name: card for card in cards.catalogue()}
    if reference in known:
        return _listed(known[reference])
    path = Path(reference).expanduser()
    if not path.exists():
        if is_path(reference):
            raise UsageError(
                f"no model lies at {reference}", hint="Give the folder of its safetensors."
            )
        return _listed(cards.require_model(reference))  # which says what names there are
    if not path.is_dir():
        raise UsageError(
            f"{reference} is no folder of safetensors",
            hint="Give the folder that holds config.json and the weights.",
        )
    return _users_folder(path.resolve())


def is_path(reference: str) -> bool:
    """Whether the user can only have meant a path."""
    return reference.startswith((".", "~")) or os.sep in reference


def _listed(card: ModelCard) -> Source:
    return Source(
        name=card.name,
        label=card.label,
        is_synthetic=card.is_synthetic,
        folder=card.folder,
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

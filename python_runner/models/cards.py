"""Which models there are: one TOML file for each in the folder `models/`."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeInt,
    SerializeAsAny,
    ValidationInfo,
    field_validator,
    model_validator,
)

from python_runner.common.errors import ModelError, UnknownNameError
from python_runner.common.locations import cache_dir, source_root
from python_runner.models.architectures import ARCHITECTURES, Shape
from python_runner.models.hub import find_published

_GENERATOR = 2
"""Raised when the way in which random weights or tokenizers are made changes."""
_FIRST_ARCHITECTURE = "gemma2"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class RandomWeights(_Frozen):
    """How weights are drawn that nobody trained."""

    seed: NonNegativeInt


class HubRepo(_Frozen):
    """Where published weights are fetched from, if they are not on this machine."""

    repo: str = Field(pattern="^[^/]+/[^/]+$")
    revision: str = Field("", pattern="^([0-9a-f]{40})?$")
    """Commit; empty: the newest one, or the one that is here."""
    gated: bool = False
    """Whether a licence has to be accepted first."""
    leave_out: tuple[str, ...] = Field((), strict=False)
    """Patterns of files that are not fetched: the same weights once more in another form."""


class ModelCard(_Frozen):
    """What the manifest of a model says."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]*$")
    """A part of paths."""
    label: str = Field(min_length=1)
    licence: str
    weights: Literal["trained", "random"]
    sha256: str = Field("", pattern="^([0-9a-f]{64})?$")
    """Hash over weights, configuration and tokenizer, as `fingerprint` computes it; empty:
    whatever is found is recorded."""
    architecture: str = _FIRST_ARCHITECTURE
    """A name of `ARCHITECTURES`; `shape` has its dimensions."""
    family: str = Field(min_length=1)
    """The published model that it is, was made of, or stands in for, such as `Llama-3-8B`."""
    shape: SerializeAsAny[Shape]
    random: RandomWeights | None = None
    hub: HubRepo | None = None

    @property
    def is_synthetic(self) -> bool:
        """True if nobody trained the weights."""
        return self.weights == "random"

    @property
    def folder(self) -> Path:
        """Where the safetensors lie, made or not. Another seed or shape has another folder."""
        if self.random is None:
            published = find_published(self, models_dir()) if self.hub else None
            return published or models_dir() / self.name
        recipe = {
            "generator": _GENERATOR,
            "shape": self.shape.model_dump(),
            "random": self.random.model_dump(),
        }
        if self.architecture != _FIRST_ARCHITECTURE:
            # It came later: what had been made before keeps its folder.
            recipe["architecture"] = self.architecture
        digest = hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()
        return cache_dir() / "models" / f"{self.name}-{digest[:16]}"

    @property
    def record(self) -> Path:
        """Where the fingerprint of `folder` is kept: in the cache, never inside a checkout."""
        if self.random is not None:
            return self.folder.with_name(f"{self.folder.name}.fingerprint.json")
        return record_beside(self.name, self.folder)

    def is_ready(self) -> bool:
        """Whether the weights are on this disk."""
        return self.folder.is_dir() and (self.random is None or self.record.is_file())

    @field_validator("architecture")
    @classmethod
    def _architecture_is_known(cls, name: str) -> str:
        if name not in ARCHITECTURES:
            raise ValueError(f"one of {', '.join(ARCHITECTURES)} is wanted")
        return name

    @field_validator("shape", mode="before")
    @classmethod
    def _shape_of_the_architecture(cls, given: Any, info: ValidationInfo) -> Any:
        name = info.data.get("architecture")  # missing if it was refused
        return ARCHITECTURES[name].model_validate(given) if name and type(given) is dict else given

    @model_validator(mode="after")
    def _random_weights_are_described(self) -> ModelCard:
        if (self.random is not None) != self.is_synthetic:
            raise ValueError("[random] belongs to random weights, and only to them")
        if self.is_synthetic and "random weights" not in self.label:
            raise ValueError("label: must say `random weights`")
        if self.is_synthetic and self.hub is not None:
            raise ValueError("[hub] belongs to published weights")
        return self


def record_beside(name: str, folder: Path) -> Path:
    """Where the fingerprint of a folder is kept that is not ours to write into."""
    place = hashlib.sha256(str(folder).encode()).hexdigest()[:16]
    return cache_dir() / "models" / f"{name}-{place}.fingerprint.json"


def models_dir() -> Path:
    """Where the manifests and the trained tiny model lie."""
    return source_root() / "models"


def catalogue() -> tuple[ModelCard, ...]:
    """All models, by name."""
    return tuple(_read(path) for path in sorted(models_dir().glob("*.toml")))


def require_model(name: str) -> ModelCard:
    """The model of that name.

    Raises:
        UnknownNameError: there is none.
    """
    cards: Mapping[str, ModelCard] = {card.name: card for card in catalogue()}
    if name not in cards:
        raise UnknownNameError("model", name, cards)
    return cards[name]


def _read(path: Path) -> ModelCard:
    try:
        return ModelCard.model_validate(_content(path))
    except (OSError, ValueError, KeyError) as error:  # pydantic's and TOML's are ValueErrors
        raise ModelError(
            f"{path} is no manifest of a model: {error}",
            hint="Restore the file from the repository.",
        ) from error


def _content(path: Path) -> dict[str, Any]:
    """What a manifest says, with what it takes from the one that it names under `like`."""
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    if other := content.pop("like", None):
        if Path(str(other)).name != other:
            raise ValueError(f"like = {other!r}: is no name of a manifest beside it")
        taken = _content(path.with_name(f"{other}.toml"))
        content.setdefault("architecture", taken["architecture"])
        content["shape"] = {**taken["shape"], **content.get("shape", {})}
    return content

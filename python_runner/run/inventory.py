"""All forms of all models on this disk, Ollama's included, and removing them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from python_runner.common.errors import UnknownNameError
from python_runner.engines.ollama.store import OllamaStore
from python_runner.models import ModelCard, catalogue
from python_runner.models.inventory import forms, remove_form
from python_runner.models.source import BYTES_PER_WEIGHT, file_name_of


@dataclass(frozen=True, kw_only=True)
class OnDisk:
    """One form of a model."""

    kind: str
    """`safetensors`, `GGUF` with its type, or `Ollama`."""
    path: Path
    bytes: int
    is_ours: bool
    """Whether it was made here, and so may be removed."""
    is_shared: bool = False
    """Whether it is the same file as another form: then it takes no room of its own."""
    taken_from: Path | None = None
    """The file that Ollama's form was made of."""


@dataclass(frozen=True, kw_only=True)
class ModelOnDisk:
    """A model of the catalogue, or one of the user's of which something was made here."""

    name: str
    label: str
    kind: str
    """Whose weights these are: `published`, `trained here`, `random weights`, `your own`."""
    family: str
    """The published model that it is or stands in for; empty for one of the user's."""
    bytes: int
    """Size of all weights in bfloat16; 0 for one of the user's."""
    how_to_get: str
    forms: tuple[OnDisk, ...]


def models_on_disk(store: OllamaStore | None = None) -> list[ModelOnDisk]:
    """All models: those of the catalogue first, by family, synthetic ones last."""
    found = _by_model(store or OllamaStore())
    cards = sorted(
        catalogue(),
        key=lambda card: (card.family, card.is_synthetic, -card.shape.parameters, card.name),
    )
    listed = [_listed(card, tuple(found.get(card.name, ()))) for card in cards]
    others = [
        ModelOnDisk(
            name=name,
            label="your own",
            kind="your own",
            family="",
            bytes=0,
            how_to_get="",
            forms=tuple(found[name]),
        )
        for name in sorted(found.keys() - {card.name for card in cards})
    ]
    return listed + others


def _listed(card: ModelCard, forms_: tuple[OnDisk, ...]) -> ModelOnDisk:
    how_to_get = "made when needed"
    if card.hub is not None:
        how_to_get = f"fetched by `polystack compare --model {card.name}`"
        if card.hub.gated:
            how_to_get += ", once its licence is accepted"
    kind = "published" if card.hub else "random weights" if card.is_synthetic else "trained here"
    return ModelOnDisk(
        name=card.name,
        label=card.label,
        kind=kind,
        family=card.family,
        bytes=card.shape.parameters * BYTES_PER_WEIGHT,
        how_to_get=how_to_get,
        forms=forms_,
    )


def find_on_disk(name: str, store: OllamaStore | None = None) -> ModelOnDisk:
    """The model of that name.

    Raises:
        UnknownNameError: there is none.
    """
    models = {model.name: model for model in models_on_disk(store)}
    if name not in models:
        raise UnknownNameError("model", name, models)
    return models[name]


def remove_forms(forms_: Sequence[OnDisk], store: OllamaStore | None = None) -> int:
    """Remove what is ours among `forms_`; bytes that this frees."""
    ours = [form for form in forms_ if form.is_ours]
    ollamas = store or OllamaStore()
    for form in ours:
        if form.taken_from is not None:
            ollamas.remove(form.taken_from)
        else:
            remove_form(form.path)
    return sum(form.bytes for form in ours if not form.is_shared)


def _by_model(store: OllamaStore) -> dict[str, list[OnDisk]]:
    found: dict[str, list[OnDisk]] = {}
    model_of: dict[Path, str] = {}
    for form in forms():
        model_of[form.path] = form.model
        found.setdefault(form.model, []).append(
            OnDisk(kind=form.kind, path=form.path, bytes=form.bytes, is_ours=form.is_ours)
        )
    for gguf, blob in store.blobs().items():
        model = model_of.get(gguf) or file_name_of(gguf.stem)
        found.setdefault(model, []).append(
            OnDisk(
                kind="Ollama",
                path=blob,
                bytes=blob.stat().st_size,
                is_ours=True,
                is_shared=gguf.exists() and gguf.samefile(blob),
                taken_from=gguf,
            )
        )
    return found

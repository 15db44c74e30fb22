"""Ollama's folder of models as it lies on disk: manifests that name blobs by their hash."""

from __future__ import annotations

import glob
import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from python_runner.common.errors import ModelError, UsageError

_ALGORITHM = "sha256:"
# It becomes the name of a file.
_DIGEST = re.compile(_ALGORITHM + "[0-9a-f]{64}")
# HOST/OWNER/NAME: the host that a pull went to is not looked at.
_DEFAULT_PARTS = ("*", "library", "")
_MORE_WEIGHTS = {"adapter", "projector", "tensor"}
_SERVICE_FOLDER = Path("/usr/share/ollama/.ollama/models")
"""Where the Linux installer lets a service of Ollama's own user keep them."""


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One file of a model."""

    kind: str
    """The last part of its media type: `model`, `template`, `adapter`…"""
    digest: str
    """`sha256:` and 64 digits."""

    def blob(self, folder: Path) -> Path:
        """The file in the Ollama folder `folder`."""
        return folder / "blobs" / self.digest.replace(":", "-")


def manifests(folder: Path) -> Iterator[Path]:
    """The manifests in an Ollama folder: `manifests/HOST/OWNER/NAME/TAG`."""
    yield from sorted(path for path in folder.glob("manifests/*/*/*/*") if path.is_file())


def layers(manifest: Path) -> list[Layer]:
    """The files of a model, its configuration included; none if the manifest is not readable."""
    try:
        content = json.loads(manifest.read_text(encoding="utf-8"))
        entries = [content["config"], *content["layers"]]
        found = [
            Layer(kind=entry["mediaType"].rpartition(".")[2], digest=entry["digest"])
            for entry in entries
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return []
    return [layer for layer in found if _DIGEST.fullmatch(str(layer.digest))]


def forget(folder: Path, manifest: Path) -> None:
    """Remove a model and those of its files that no other model in the folder has."""
    gone = layers(manifest)
    manifest.unlink()
    kept = {layer.digest for other in manifests(folder) for layer in layers(other)}
    for layer in gone:
        if layer.digest not in kept:
            layer.blob(folder).unlink(missing_ok=True)
    for parent in list(manifest.parents)[:3]:  # NAME, OWNER, HOST
        if any(parent.iterdir()):
            break
        parent.rmdir()


@dataclass(frozen=True, kw_only=True)
class PulledModel:
    """A model that the user has in Ollama."""

    gguf: Path
    sha256: str
    """What its contents must have."""


def pulled_model(name: str, folders: Sequence[Path] | None = None) -> PulledModel:
    """The weights of a model in the user's own Ollama.

    Args:
        name: as Ollama has it: `gemma2:2b`, `gemma2` (for `gemma2:latest`), `owner/name:tag`.
        folders: where to look; by default where Ollama keeps its models.

    Raises:
        UsageError: no such model.
        ModelError: its weights are missing, or are more than one GGUF file.
    """
    places = users_folders() if folders is None else tuple(folders)
    path = _manifest_path(name)
    for folder in places:
        for manifest in sorted(folder.glob(f"manifests/{path}")):
            return _weights_of(name, folder, manifest)
    known = sorted({_name_of(manifest) for folder in places for manifest in manifests(folder)})
    raise UsageError(
        f"Ollama has no model {name!r} in {' or '.join(map(str, places))}",
        hint=f"It has: {', '.join(known) or 'none'}. `ollama pull {name}` gets it; a folder of "
        "another place is named by OLLAMA_MODELS.",
    )


def users_folders() -> tuple[Path, ...]:
    """Where the user's own Ollama keeps its models: as told, or at home, or as a service."""
    told = os.environ.get("OLLAMA_MODELS")
    if told:
        return (Path(told).expanduser(),)
    return (Path.home() / ".ollama" / "models", _SERVICE_FOLDER)


def _manifest_path(name: str) -> str:
    """A pattern below `manifests`, as the parts of a name that were left out have defaults."""
    path, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:
        path, tag = name, "latest"
    parts = [glob.escape(part) for part in path.split("/")]
    if len(parts) > len(_DEFAULT_PARTS) or not all(parts) or ".." in parts:
        raise UsageError(f"{name!r} is no name of a model in Ollama", hint="Such as gemma2:2b.")
    return "/".join([*_DEFAULT_PARTS[: len(_DEFAULT_PARTS) - len(parts)], *parts, glob.escape(tag)])


def _name_of(manifest: Path) -> str:
    tag, name, owner = manifest.name, manifest.parent.name, manifest.parents[1].name
    return f"{name}:{tag}" if owner == _DEFAULT_PARTS[1] else f"{owner}/{name}:{tag}"


def _weights_of(name: str, folder: Path, manifest: Path) -> PulledModel:
    found = layers(manifest)
    weights = [layer for layer in found if layer.kind == "model"]
    extra = sorted({layer.kind for layer in found} & _MORE_WEIGHTS)
    if len(weights) != 1 or extra:
        what = f"with {', '.join(extra)}" if extra else f"of {len(weights)} files of weights"
        raise ModelError(
            f"Ollama's {name} is a model {what}, not one GGUF file",
            hint="Choose another, or give the path of a GGUF file.",
        )
    blob = weights[0].blob(folder)
    if not blob.is_file():
        raise ModelError(
            f"the weights of Ollama's {name} are missing: {blob}", hint=f"`ollama pull {name}`"
        )
    return PulledModel(gguf=blob, sha256=weights[0].digest.removeprefix(_ALGORITHM))

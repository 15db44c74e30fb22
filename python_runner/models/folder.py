"""A folder of safetensors that somebody else made: what is in it, and whether it is whole."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from python_runner.common.errors import ModelError
from python_runner.models.plain_view import pickles

INDEX = "model.safetensors.index.json"
_FETCH_AGAIN = "Copy or download the model again."


@dataclass(frozen=True, kw_only=True)
class FolderFacts:
    """What the files say without being read through."""

    architecture: str
    """As in config.json, such as `LlamaForCausalLM`."""
    parameters: int
    """Number of weights."""
    bytes: int
    """Size of the weights' files."""


def inspect_folder(folder: Path) -> FolderFacts:
    """Look at configuration, tokenizer and the headers of the weights.

    Raises:
        ModelError: a file is missing, truncated or not what its name says, or the weights
            are quantised.
    """
    config = _json_file(folder / "config.json", "no model")
    architectures = config.get("architectures")
    if not isinstance(architectures, list) or not architectures:
        raise ModelError(f"{folder / 'config.json'} names no architecture", hint=_FETCH_AGAIN)
    if "quantization_config" in config:
        told = config["quantization_config"]
        method = (told if isinstance(told, dict) else {}).get("quant_method", "unknown method")
        raise ModelError(
            f"the weights in {folder} are quantised ({method}), which the engines do not share",
            hint="Take the model with weights in bf16, f16 or f32.",
        )
    if not (folder / "tokenizer.json").is_file():
        raise ModelError(
            f"{folder} has no tokenizer.json, by which the engines' tokens are checked",
            hint="transformers writes one: AutoTokenizer.from_pretrained(FOLDER)"
            ".save_pretrained(FOLDER).",
        )
    files = weight_files(folder)
    return FolderFacts(
        architecture=str(architectures[0]),
        parameters=sum(_count(path) for path in files),
        bytes=sum(path.stat().st_size for path in files),
    )


def weight_files(folder: Path) -> list[Path]:
    """The files that hold the weights.

    Raises ModelError if there are none, or one that the index names is missing.
    """
    index = folder / INDEX
    if not index.is_file():
        found = sorted(folder.glob("*.safetensors"))
        if not found or (pickles(folder) and not any(_is_usual(path.name) for path in found)):
            raise _no_safetensors(folder)
        return found
    named = _json_file(index, "no index").get("weight_map", {})
    if not isinstance(named, dict) or not all(map(_is_file_name, named.values())):
        raise ModelError(
            f"{index} names files of weights that are no safetensors beside it", hint=_FETCH_AGAIN
        )
    files = sorted({folder / name for name in named.values()})
    missing = [path.name for path in files if not path.is_file()]
    if missing or not files:
        raise ModelError(
            f"{folder} is not complete: {', '.join(missing) or 'every file of weights'} is missing",
            hint=_FETCH_AGAIN,
        )
    return files


def _no_safetensors(folder: Path) -> ModelError:
    if found := pickles(folder):
        return ModelError(
            f"{folder} holds its weights as pickle ({', '.join(found)}), which can run code when "
            "it is opened, and is not read",
            hint="Take the model with safetensors, or a GGUF file. If you trust the file, "
            "transformers writes safetensors of it: AutoModelForCausalLM.from_pretrained(FOLDER)"
            ".save_pretrained(FOLDER).",
        )
    return ModelError(f"{folder} holds no safetensors", hint=_FETCH_AGAIN)


def _is_usual(name: str) -> bool:
    """Whether other programs find these safetensors, and so do not look for a pickle."""
    return name.startswith("model")


def _is_file_name(name: object) -> bool:
    """Whether it names a file of weights in the same folder, and no other."""
    return isinstance(name, str) and name == Path(name).name and name.endswith(".safetensors")


def _count(path: Path) -> int:
    """Number of weights in a file; opening it checks that all its bytes are there."""
    import math

    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as tensors:
            shapes = [tensors.get_slice(name).get_shape() for name in tensors.keys()]  # noqa: SIM118 - no mapping
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{path} is damaged or cut short: {error}", hint=_FETCH_AGAIN) from error
    return sum(math.prod(shape) for shape in shapes)


def _json_file(path: Path, otherwise: str) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ModelError(
            f"{path.parent} holds {otherwise}: {path.name} is missing", hint=_FETCH_AGAIN
        ) from error
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{path} cannot be read: {error}", hint=_FETCH_AGAIN) from error
    if not isinstance(content, dict):
        raise ModelError(f"{path} is not what its name says", hint=_FETCH_AGAIN)
    return content

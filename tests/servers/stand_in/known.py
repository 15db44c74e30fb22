"""What the stand-in knows: weights that are there, a tokenizer, answers."""

from __future__ import annotations

import json
import os
import struct
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.servers.stand_in.dialect import RefusedError, dialect_called

_NAME = "STAND_IN_NAME"
"""What its model is called, where it sees another path than it is told: in a container."""


def check_weights(folder: Path) -> None:
    """Exits with 1 if there are none, or a part is missing."""
    files = sorted(folder.glob("*.safetensors"))
    if not files or not (folder / "config.json").is_file():
        sys.exit(f"cannot load {folder}: no weights")
    for path in files:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            header = json.loads(file.read(length))
        ends = [each["data_offsets"][1] for key, each in header.items() if key != "__metadata__"]
        if path.stat().st_size < 8 + length + max(ends):
            sys.exit(f"cannot load {path}: the file is incomplete")


@dataclass(frozen=True)
class Answer:
    """What is said to one request."""

    prompt: tuple[int, ...]
    tokens: tuple[int, ...]
    mark: tuple[int, ...]
    """The token that ended it; empty: it has the length that was asked for."""


class Server:
    """What it knows."""

    def __init__(self, settings: dict[str, Any], options: dict[str, str]) -> None:
        from tokenizers import Tokenizer

        self.settings = settings
        self.dialect = dialect_called(settings["dialect"])
        self.options = options
        self.folder = self._folder()
        check_weights(self.folder)
        self.tokenizer = Tokenizer.from_file(str(self.folder / "tokenizer.json"))
        self.name = self._name()
        self.is_loaded = False

    def _folder(self) -> Path:
        if "$MODEL" in self.options:
            return Path(self.options["$MODEL"])
        names = self.dialect["model_option"].split("/")
        return Path(*(self.options[name] for name in names))

    def _name(self) -> str:
        if _NAME in os.environ:
            return os.environ[_NAME]
        by = self.dialect.get("named_by", "")
        if by in self.options:
            return self.options[by]
        whole = "$MODEL" in self.options or self.dialect.get("model_option") == "--model-path"
        named = str(self.dialect.get("named") or (self.folder if whole else self.folder.name))
        return self.folder.name if by else named

    @property
    def port(self) -> int:
        return int(self.options[self.dialect.get("port_option", "--port")])

    def answer(self, body: dict[str, Any]) -> Answer:
        """What is said to `body`. Raises RefusedError."""
        dialect = self.dialect
        for key in body.keys() - set(dialect.get("known_keys", body.keys())):
            raise RefusedError(
                400, dialect["unknown_key"], f"{key}: Extra inputs are not permitted"
            )
        unknown = dialect.get("unknown_model")
        if unknown and body.get("model") != self.name:
            why = f"The model `{body.get('model')}` does not exist."
            raise RefusedError(unknown["status"], unknown["body"], why)
        given = body["prompt"]
        if ("text" if isinstance(given, str) else "ids") not in dialect["prompts"]:
            raise self._refused("the prompt must be a text")
        prompt = tuple(self._encoded(given) if isinstance(given, str) else given)
        length = body.get("max_tokens") or dialect.get("max_tokens_default", 16)
        if len(prompt) + length > self.settings["context"]:
            raise self._refused(f"{len(prompt)} and {length} tokens do not fit into the context")
        return self._cut(prompt, self._said(prompt, length), body)

    def _refused(self, why: str) -> RefusedError:
        return RefusedError(self.dialect.get("error_status", 400), self.dialect["error"], why)

    def _encoded(self, text: str) -> list[int]:
        ids: list[int] = self.tokenizer.encode(
            text, add_special_tokens=not self.dialect.get("no_bos")
        ).ids
        return ids

    def _said(self, prompt: tuple[int, ...], length: int) -> tuple[int, ...]:
        recorded = self.settings["answers"].get(",".join(map(str, prompt)))
        if recorded is not None:
            return tuple(recorded[:length])
        return invented(prompt, length)

    def _cut(self, prompt: tuple[int, ...], said: tuple[int, ...], body: dict[str, Any]) -> Answer:
        value: Any = body
        for key in self.dialect.get("ignores_end_by", ["nothing"]):
            value = value.get(key) if isinstance(value, dict) else None
        ends = set(self.settings["ends"])
        end = next((at for at, token in enumerate(said) if token in ends), None)
        if value is True or end is None:
            return Answer(prompt, said, ())
        return Answer(prompt, said[:end], said[end : end + 1])

    def text(self, tokens: Sequence[int]) -> str:
        decoded: str = self.tokenizer.decode(list(tokens), skip_special_tokens=False)
        return decoded


def invented(prompt: Sequence[int], length: int) -> tuple[int, ...]:
    """Tokens that hang on the prompt; all have a text of their own."""
    return tuple(400 + (sum(prompt) * 31 + at * 17) % 600 for at in range(length))

"""Placeholders of a server's file, and what stands for them at one start."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from python_runner.common.errors import SetupError
from python_runner.engines.contract import LaunchSettings

HOST = "127.0.0.1"


@dataclass(frozen=True, kw_only=True)
class Filling:
    """What is known so far."""

    server: str
    """Names it in errors."""
    known: Mapping[str, str]

    def __call__(self, word: str) -> str:
        """`word` with its placeholders filled in. Raises SetupError if one is not known."""
        try:
            return word.format_map(self.known)
        except KeyError as error:
            raise SetupError(
                f"{self.server}: nothing is known for {error.args[0]!r} in {word!r}",
                hint="The file of that server uses a placeholder that this way of finding it "
                "does not give. docs/engines/servers.md lists them.",
            ) from error

    def words(self, words: Sequence[str]) -> list[str]:
        """All of a command line."""
        return [self(word) for word in words]

    def with_known(self, more: Mapping[str, str]) -> Filling:
        """The same, and more known."""
        return replace(self, known={**self.known, **more})


def words_of(settings: LaunchSettings, folder: Path, scratch: Path) -> dict[str, str]:
    """What the settings of a start give; `folder` holds the weights."""
    return {
        "host": HOST,
        "model": str(folder),
        "model_name": folder.name,
        "model_parent": str(folder.parent),
        "context": str(settings.context),
        "all_context": str(settings.context * settings.slots),
        "slots": str(settings.slots),
        "threads": str(settings.threads),
        "device": settings.device,
        "scratch": str(scratch),
    }

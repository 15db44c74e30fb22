"""What `polystack doctor` says of the models: there, or made when needed and whether that fits."""

from __future__ import annotations

from collections.abc import Iterator

from python_runner.common.checkup import Finding, State
from python_runner.common.errors import ModelError
from python_runner.models.cards import ModelCard, catalogue
from python_runner.models.memory import require_memory
from python_runner.models.prepare import disk_needed, require_disk, seconds_needed

_GB = 1e9


class ModelsCheckup:
    """Implements `checkup.Checkup`."""

    title = "Models"

    def __init__(self, default: str) -> None:
        """`default`: the model of the default study."""
        self._default = default

    def look(self) -> Iterator[Finding]:
        try:
            cards = catalogue()
        except ModelError as error:
            yield _missing("manifests", error, is_needed=True)
            return
        for card in cards:
            try:
                yield _look_at(card, is_needed=card.name == self._default)
            except ModelError as error:
                yield _missing(card.name, error, is_needed=card.name == self._default)


def _look_at(card: ModelCard, *, is_needed: bool) -> Finding:
    """Raises ModelError if disk or memory are too small."""
    require_memory(card)
    if card.is_ready():
        return Finding(subject=card.name, state=State.READY, detail=card.label, is_needed=is_needed)
    needed = disk_needed(card, wants_gguf=True)
    require_disk(card.folder.parent, needed)
    return Finding(
        subject=card.name,
        state=State.LATER,
        detail=f"{card.label}; takes {needed / _GB:.1f} GB of disk",
        expected_s=seconds_needed(card, wants_gguf=True),
        is_needed=is_needed,
    )


def _missing(subject: str, error: ModelError, *, is_needed: bool) -> Finding:
    return Finding(
        subject=subject,
        state=State.MISSING,
        detail=error.message,
        mend=error.hint,
        is_needed=is_needed,
    )

"""What `polystack doctor` says of the models: there, or made when needed and whether that fits."""

from __future__ import annotations

from collections.abc import Iterator

from python_runner.common.checkup import Finding, State
from python_runner.common.errors import ModelError
from python_runner.models.cards import ModelCard, catalogue
from python_runner.models.gguf import WHOLE
from python_runner.models.memory import require_memory
from python_runner.models.sizes import check_disks, still_to_write
from python_runner.models.source import listed_source

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
        # The others would only be fetched or made if somebody asked for them by name.
        family = {card.family for card in cards if card.name == self._default}
        looked_at = [card for card in cards if card.family in family or card.is_ready()]
        for card in looked_at:
            try:
                yield _look_at(card, is_needed=card.name == self._default)
            except ModelError as error:
                yield _missing(card.name, error, is_needed=card.name == self._default)
        if more := len(cards) - len(looked_at):
            yield Finding(
                subject="others",
                state=State.NOTE,
                detail=f"{more} models are not on this disk; a study that names one gets it",
                mend="To see them: polystack models",
            )


def _look_at(card: ModelCard, *, is_needed: bool) -> Finding:
    """Raises ModelError if disk or memory are too small."""
    require_memory(card)
    if card.is_ready():
        return Finding(subject=card.name, state=State.READY, detail=card.label, is_needed=is_needed)
    to_write = still_to_write(listed_source(card), (WHOLE,))
    check_disks(card.name, to_write)
    size = f"takes {sum(each.bytes for each in to_write) / _GB:.1f} GB of disk"
    if card.hub is not None:
        return Finding(
            subject=card.name,
            state=State.NOTE,
            detail=f"{card.label}; published weights, not on this disk; {size}",
            mend=f"To fetch it: polystack compare --model {card.name}",
            is_needed=is_needed,
        )
    return Finding(
        subject=card.name,
        state=State.LATER,
        detail=f"{card.label}; {size}",
        expected_s=sum(each.seconds or 0.0 for each in to_write),
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

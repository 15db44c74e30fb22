"""How long the tiny model is trained, and on which documents of the stream."""

from __future__ import annotations

from dataclasses import dataclass

SEED = 20240
"""Of the text and of the first weights."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A stretch of the training with one shape of batch."""

    steps: int
    batch: int
    """Documents in one step."""
    length: int
    """Tokens of each document, BOS included; longer ones are cut."""


STAGES = (
    # Short documents first: that a word is followed by what followed it before is learnt from
    # them within a few hundred steps, and hardly at all from long ones.
    Stage(steps=1000, batch=64, length=48),
    Stage(steps=1000, batch=32, length=96),
    Stage(steps=500, batch=12, length=256),
    Stage(steps=150, batch=6, length=448),
)
STEPS = sum(stage.steps for stage in STAGES)
DOCUMENTS = sum(stage.steps * stage.batch for stage in STAGES)
"""How many documents are taken from the beginning of the stream."""

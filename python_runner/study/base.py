"""What all tables of a study file have in common."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

PositiveInt = Annotated[int, Field(gt=0)]
NonNegativeInt = Annotated[int, Field(ge=0)]


class Frozen(BaseModel):
    """A table: its keys are known, its values have the right type, and it does not change."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

"""What an engine may have besides: knobs of its own, and settings other than its neighbours'."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from python_runner.engines.contract import Engine, LaunchSettings


@runtime_checkable
class Tunable(Protocol):
    """What an engine has besides if it has knobs of its own."""

    @property
    def knobs(self) -> Mapping[str, str]:
        """Name of each knob to what it does and which values it takes."""

    def tuned(self, knobs: Mapping[str, str]) -> Engine:
        """The same engine with these; its spec has name and title of the variant.

        Raises UsageError.
        """


@runtime_checkable
class Adjusts(Protocol):
    """What an engine has besides if it is started otherwise than the others of a comparison."""

    def settings_for(self, settings: LaunchSettings) -> LaunchSettings:
        """What it is really started with."""


def settings_of(engine: Engine, settings: LaunchSettings) -> LaunchSettings:
    """What an engine is really started with where all others get `settings`."""
    return engine.settings_for(settings) if isinstance(engine, Adjusts) else settings

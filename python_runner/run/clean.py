"""What of the cache this checkout does not need."""

from __future__ import annotations

from pathlib import Path

from python_runner.common.build.cleaning import Removal, Scope, removals
from python_runner.common.build.survey import Survey
from python_runner.common.errors import PolystackError
from python_runner.engines.checkup import survey
from python_runner.engines.table import engine, engine_names
from python_runner.run.parts import PARTS


def plan_cleaning(scope: Scope) -> tuple[Removal, ...]:
    """The folders of the cache that can go. Removes nothing."""
    return removals(_used_builds(), scope)


def _used_builds() -> frozenset[Path]:
    used: set[Path] = set()
    for name in engine_names():
        try:
            used.update(survey(engine(name)).used)
        except PolystackError:
            continue  # a plug-in that cannot be imported: its builds are of a kind of its own
    for prepare in PARTS.values():
        used.update(Survey().run(prepare).used)
    return frozenset(used)

"""Which stacks are built when: nobody waits for a long build before he sees a first figure."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field

from python_runner.common.errors import SetupError, reason_of
from python_runner.common.progress import Progress
from python_runner.engines.checkup import survey
from python_runner.engines.contract import Engine

_LONG_BUILD_S = 60.0


@dataclass(frozen=True, kw_only=True)
class Builds:
    """What became of the engines before anything is measured."""

    missing: Mapping[str, str] = field(default_factory=dict)
    """Those that cannot be built, with the reason."""
    waiting: frozenset[str] = frozenset()
    """Those that are built when the others have been measured."""


def build_what_is_quick(engines: Mapping[str, Engine], progress: Progress) -> Builds:
    """Build what takes no more than a minute; everything, if nothing would be left to measure."""
    waiting = frozenset(name for name, each in engines.items() if _is_long(each))
    missing = build({n: each for n, each in engines.items() if n not in waiting}, progress)
    if len(missing) + len(waiting) < len(engines):
        return Builds(missing=missing, waiting=waiting)
    return Builds(missing=missing | build({name: engines[name] for name in waiting}, progress))


def _is_long(candidate: Engine) -> bool:
    try:
        return survey(candidate).expected_s > _LONG_BUILD_S
    except OSError:
        return False  # building it will say what is wrong


def build(engines: Mapping[str, Engine], progress: Progress) -> dict[str, str]:
    """Build every engine; returns the reason for each that cannot be built."""
    missing: dict[str, str] = {}
    for name, candidate in engines.items():
        try:
            candidate.prepare(progress)
        except (SetupError, OSError) as error:
            missing[name] = reason_of(error)
            progress.say(f"{candidate.spec.title} is left out: {missing[name]}")
    return missing


def require_one(engines: Mapping[str, Engine], missing: Mapping[str, str]) -> None:
    """Raise SetupError if not one of the engines is left."""
    if len(missing) == len(engines):
        raise SetupError(
            "no stack of this study can be built:\n"
            + "\n".join(f"  {name}: {reason}" for name, reason in missing.items()),
            hint="Install what is named above and run the command again.",
        )


def in_order(engines: Mapping[str, Engine], waiting: Iterable[str]) -> list[tuple[str, Engine]]:
    """The engines in the study's order, those that wait for a long build at the end."""
    late = frozenset(waiting)
    return sorted(engines.items(), key=lambda item: item[0] in late)


def without(engines: Mapping[str, Engine], missing: Container[str]) -> dict[str, Engine]:
    """The engines that are not missing."""
    return {name: candidate for name, candidate in engines.items() if name not in missing}

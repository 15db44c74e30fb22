"""Run the studies of a published one, one after the other; what one lacks costs no other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from python_runner.common.errors import PolystackError, UsageError, reason_of
from python_runner.common.progress import Progress
from python_runner.measure import NoiseProbe
from python_runner.run.compare import compare
from python_runner.run.load import check_open_files, load
from python_runner.run.published.planning import Planned
from python_runner.store import Store
from python_runner.study import Study


@dataclass(frozen=True, kw_only=True)
class Ran:
    """What became of a published study."""

    run_ids: tuple[int, ...]
    broken: Mapping[str, str]
    """`STACK, MODEL` to why it gave no full set."""
    not_built: frozenset[str] = frozenset()
    """Those of them that could not be built."""
    failed: Mapping[str, str] = field(default_factory=dict)
    """Models of which no run was made, with the reason."""


@dataclass(frozen=True, kw_only=True)
class Made:
    """One run."""

    study: Study
    run_id: int
    broken: Mapping[str, str]
    not_built: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Ways:
    """What all runs of a series share."""

    store: Store
    """Where each sample is kept the moment it ends."""
    logs: Path
    """Folder for the engines' own output."""
    progress_of: Callable[[Study, int], Progress]
    """For a study and its number from 1: where long work is shown."""
    on_begin: Callable[[int], None] | None = None
    """Called with each run's id when it is stored, before anything is measured."""
    on_limit: Callable[[str], None] | None = None
    """Called before anything is measured with what was done about a limit of this machine's."""
    on_run: Callable[[Made], None] | None = None
    """Called with each run when it is over."""
    probe: NoiseProbe | None = None
    """Looks at the machine before each request of a comparison; None: nobody does."""
    command: str = ""
    """What was typed, to be kept with the runs."""


def run_series(planned: Planned, ways: Ways) -> Ran:
    """Run every study of the plan.

    Raises:
        UsageError: what is asked cannot be; nothing was measured.
        PolystackError: no run could be made; the reason of the last.
        KeyboardInterrupt: passed on; finished samples are kept.
    """
    limits = [check_open_files(study.load) for study in planned.studies if study.load is not None]
    for limit in dict.fromkeys(filter(None, limits)):
        if ways.on_limit is not None:
            ways.on_limit(limit)
    made: list[Made] = []
    failed: dict[str, str] = {}
    last: PolystackError | None = None
    for number, study in enumerate(planned.studies, start=1):
        progress = ways.progress_of(study, number)
        try:
            found = _run(study, ways, progress)
        except UsageError:
            raise
        except PolystackError as error:
            failed[", ".join(study.model)] = reason_of(error)
            progress.say(f"{', '.join(study.model)}: no run was made: {reason_of(error)}")
            last = error
            continue
        made.append(found)
        if ways.on_run is not None:
            ways.on_run(found)
    if not made and last is not None:
        raise last
    return Ran(
        run_ids=tuple(each.run_id for each in made),
        broken={
            f"{stack}, {', '.join(each.study.model)}": reason
            for each in made
            for stack, reason in each.broken.items()
        },
        not_built=frozenset(
            f"{stack}, {', '.join(each.study.model)}" for each in made for stack in each.not_built
        ),
        failed=failed,
    )


def _run(study: Study, ways: Ways, progress: Progress) -> Made:
    if study.load is not None:
        loaded = load(
            study,
            ways.store,
            logs=ways.logs,
            progress=progress,
            on_begin=ways.on_begin,
            command=ways.command,
        )
        return Made(
            study=study, run_id=loaded.run_id, broken=loaded.broken, not_built=loaded.not_built
        )
    compared = compare(
        study,
        ways.store,
        logs=ways.logs,
        progress=progress,
        on_begin=ways.on_begin,
        probe=ways.probe,
        command=ways.command,
    )
    return Made(
        study=study, run_id=compared.run_id, broken=compared.broken, not_built=compared.not_built
    )

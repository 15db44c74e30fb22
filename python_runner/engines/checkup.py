"""What `polystack doctor` says of the engines: ready, still to be built, or what is missing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from python_runner.common.build.survey import Survey, Surveyed
from python_runner.common.checkup import Finding, State
from python_runner.common.errors import PolystackError, reason_of
from python_runner.engines.contract import Engine
from python_runner.engines.servers.find import has_gpu
from python_runner.engines.servers.read import VARIABLE, users_files
from python_runner.engines.table import DEFAULT_STACKS, engine, engine_names, is_brought


@dataclass(frozen=True, kw_only=True)
class EnginesCheckup:
    """Each engine is asked what it would do to get ready. Implements `checkup.Checkup`."""

    title: str = "Stacks"
    folds_gpu: bool = False
    """Whether stacks that only a GPU runs are one finding on a machine that has none."""

    def look(self) -> Iterator[Finding]:
        without_gpu = names_that_need_a_gpu() if self.folds_gpu and not has_gpu() else ()
        for name in engine_names():
            if name in without_gpu:
                continue
            is_needed = name in DEFAULT_STACKS
            try:
                finding = finding_of(name, survey(engine(name)), is_needed=is_needed)
            except PolystackError as error:  # a plug-in that cannot be imported
                finding = _missing(name, error, is_needed=is_needed)
            except OSError as error:  # one engine's files must not cost the rest of the answer
                reason = PolystackError(reason_of(error), hint="Run it again.")
                finding = _missing(name, reason, is_needed=is_needed)
            if is_brought(name) and finding.state is State.MISSING:
                # Nothing is wrong with a machine on which nobody has installed it.
                finding = replace(finding, state=State.NOTE)
            yield finding
        for broken in users_files().broken:
            yield Finding(
                subject=", ".join(broken.names) or VARIABLE,
                state=State.BROKEN,
                detail=broken.error.message,
                mend=broken.error.hint,
            )
        if without_gpu:
            yield Finding(
                subject="on a GPU",
                state=State.NOTE,
                detail=f"{len(without_gpu)} stacks compute on an NVIDIA GPU only, and this machine "
                f"has none: {', '.join(without_gpu)}",
                mend="What each of them lacks: polystack doctor --all",
            )


def names_that_need_a_gpu() -> tuple[str, ...]:
    """Stacks that the user brings and that compute on nothing but a GPU."""
    return tuple(name for name in engine_names() if is_brought(name) and _needs_gpu(name))


def _needs_gpu(name: str) -> bool:
    try:
        return engine(name).spec.devices == ("cuda",)
    except PolystackError:  # its own finding says what is wrong with it
        return False


def survey(candidate: Engine) -> Surveyed:
    """What this engine uses and what it would build. Builds nothing."""
    return Survey().run(candidate.prepare)


def finding_of(name: str, surveyed: Surveyed, *, is_needed: bool) -> Finding:
    """The finding for the engine of that name."""
    if surveyed.problem is not None:
        return _missing(name, surveyed.problem, is_needed=is_needed)
    if surveyed.missing:
        return Finding(
            subject=name,
            state=State.LATER,
            detail=", then ".join(_begin_small(work.title) for work in surveyed.missing),
            expected_s=surveyed.expected_s,
            mend=f"polystack build --stacks {name}",
            is_needed=is_needed,
        )
    return Finding(subject=name, state=State.READY, detail="", is_needed=is_needed)


def _missing(name: str, error: PolystackError, *, is_needed: bool) -> Finding:
    return Finding(
        subject=name,
        state=State.MISSING,
        detail=error.message,
        mend=error.hint,
        is_needed=is_needed,
    )


def _begin_small(title: str) -> str:
    return title[:1].lower() + title[1:]

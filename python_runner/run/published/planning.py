"""From a published study to the studies that are run for it, at a scale that fits here."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from python_runner.common.errors import SetupError, StudyError, UnknownNameError, UsageError
from python_runner.engines.contract import Engine, Reach
from python_runner.engines.table import engine, engine_names
from python_runner.run.preparation import choose_source
from python_runner.run.published.duration import measuring_s
from python_runner.run.sizes import available_memory, needs_of
from python_runner.study import Overrides, Part, Published, Scale, Study, load_study
from python_runner.study.published import ScaleName

DEFAULT_BUDGET_S = 3600.0
"""Where nobody names a scale, the largest is taken that ends within an hour, about."""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What the user asks for, besides the scale. None: as the study has it."""

    reference: str = ""
    """By which the published study is found again; empty: its name."""
    stacks: tuple[str, ...] | None = None
    device: str | None = None
    threads: int | None = None
    seed: int | None = None
    load: Mapping[str, object] | None = None
    """Keys of the table `[load]`, for a study that has one."""
    prompts: str | None = None
    """A file, for a study without such a table; warm-up and iterations are then its own, too."""
    warmup: int | None = None
    iterations: int | None = None


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A published study at one scale, before anything is started."""

    published: Published
    scale: ScaleName
    studies: tuple[Study, ...]
    """One for each run, in order; each has the mark of the series."""
    seconds: float
    """Of measuring, about, by what two cores needed; building and making models not counted."""
    memory_bytes: int
    """That the least hungry stack of the largest model takes at its peak, about."""
    is_ready: bool
    """Whether all models are on this disk."""

    @property
    def left_out(self) -> dict[str, str]:
        """Stacks that are tried in none of the runs, with the reason."""
        tried = {name for study in self.studies for name in study.stacks}
        marks = [study.published.left_out for study in self.studies if study.published]
        found = {name: reason for mark in marks for name, reason in mark.items()}
        return {name: reason for name, reason in found.items() if name not in tried}

    def fits(self, budget_s: float) -> str:
        """Why it does not fit this machine and this time; empty: it does."""
        available = available_memory()
        if self.memory_bytes > available:
            return (
                f"needs about {self.memory_bytes / 1e9:.1f} GB of memory, and "
                f"{available / 1e9:.1f} GB are available"
            )
        if self.seconds > budget_s:
            return f"would take about {self.seconds / 60:.0f} min"
        return ""


def plan(published: Published, scale: ScaleName, wish: Wish) -> Planned:
    """Work out what this scale runs. Starts and builds nothing.

    Raises:
        StudyError: there is no such scale, or what it asks for cannot be.
        UnknownNameError: a stack that the user named does not exist.
        SetupError: no stack is left.
    """
    if scale not in published.scales:
        raise StudyError(
            f"{published.name} has no scale {scale!r}",
            hint=f"It has {', '.join(published.scale_names)}.",
        )
    parts = published.parts(scale)
    series = uuid.uuid4().hex[:12]
    studies = tuple(
        _study(published, scale, part, wish, _place(series, number, len(parts)))
        for number, part in enumerate(parts, start=1)
    )
    sources = [choose_source(study) for study in studies]
    engines = [{name: engine(name) for name in study.stacks} for study in studies]
    needs = [
        needs_of(source, study, each)
        for source, study, each in zip(sources, studies, engines, strict=True)
    ]
    return Planned(
        published=published,
        scale=scale,
        studies=studies,
        seconds=sum(
            measuring_s(study, source, each)
            for study, source, each in zip(studies, sources, engines, strict=True)
        ),
        memory_bytes=max(min(each.memory.values()) for each in needs),
        is_ready=all(source.is_ready for source in sources),
    )


def choose(
    published: Published, wish: Wish, budget_s: float = DEFAULT_BUDGET_S
) -> tuple[Planned, dict[str, str]]:
    """The largest scale that fits this machine and this time, and why the larger ones do not.

    The smallest is taken where none fits, and stands among the reasons then.

    Raises what `plan` raises.
    """
    reasons: dict[str, str] = {}
    found = None
    for scale in reversed(published.scale_names):
        found = plan(published, scale, wish)
        reason = found.fits(budget_s)
        if not reason:
            return found, reasons
        reasons[scale] = reason
    assert found is not None, "a published study has at least one scale"
    return found, reasons


def _place(series: str, part: int, parts: int) -> dict[str, object]:
    return {"series": series, "part": part, "parts": parts}


def _study(
    published: Published, scale: ScaleName, part: Part, wish: Wish, place: Mapping[str, object]
) -> Study:
    asked = load_study(published.study, _overrides(published.scales[scale], part, wish))
    is_named = wish.stacks is not None
    wanted = asked.stacks if is_named else tuple(dict.fromkeys((*asked.stacks, *published.also)))
    runnable, left_out = _runnable(asked, wanted, is_named=is_named)
    if not is_named:
        left_out |= _not_asked_for(published, wanted)
    if not runnable:
        raise SetupError(
            "no stack of this study can be tried:\n"
            + "\n".join(f"  {name}: {reason}" for name, reason in left_out.items()),
            hint="Name others with --stacks; `polystack engines` lists them.",
        )
    mark = {"name": wish.reference or published.name, "scale": scale, "left_out": left_out, **place}
    overrides = _overrides(published.scales[scale], part, replace(wish, stacks=runnable))
    return load_study(published.study, replace(overrides, published=mark))


def _overrides(scale: Scale, part: Part, wish: Wish) -> Overrides:
    load = {**scale.load, **(wish.load or {})}
    return Overrides(
        model=part.models or None,
        precision=part.precision,
        stacks=wish.stacks,
        device=wish.device,
        threads=wish.threads,
        seed=wish.seed,
        prompt_tokens=scale.prompt_tokens,
        new_tokens=scale.new_tokens,
        context=scale.context,
        prompts=wish.prompts,
        iterations=scale.iterations if wish.iterations is None else wish.iterations,
        blocks=scale.blocks,
        warmup=scale.warmup if wish.warmup is None else wish.warmup,
        load=load or None,
    )


def _not_asked_for(published: Published, wanted: Collection[str]) -> dict[str, str]:
    """For each platform of the original that is not among the stacks: an engine, and why."""
    there = set(engine_names())
    found = {}
    for engines in published.original.platforms.values():
        if not engines or set(engines) & set(wanted):
            continue
        known = [name for name in engines if name in there]
        if known:
            found[known[0]] = f"not in this study; to try it: --stacks {known[0]}"
        else:
            found[engines[0]] = "this version has no such engine"
    return found


def _runnable(
    study: Study, wanted: Collection[str], *, is_named: bool
) -> tuple[tuple[str, ...], dict[str, str]]:
    """The stacks that can be tried, and the others with the reason.

    A name that the user typed and nobody knows is a mistake; one that the study has and this
    version does not is a row without figures.
    """
    runnable, left_out = [], {}
    for name in wanted:
        try:
            found = engine(name)
        except UnknownNameError:
            if is_named:
                raise
            left_out[name] = "this version has no such engine"
            continue
        except (SetupError, UsageError) as error:
            left_out[name] = error.message
            continue
        if reason := _unfit(study, found):
            left_out[name] = reason
        else:
            runnable.append(name)
    return tuple(runnable), left_out


def _unfit(study: Study, candidate: Engine) -> str:
    spec = candidate.spec
    if study.load and spec.reach is not Reach.SERVED:
        return "runs in process and takes one request at a time"
    if study.precision not in spec.formats:
        return f"does not run {study.precision}; it runs {', '.join(spec.formats)}"
    return ""

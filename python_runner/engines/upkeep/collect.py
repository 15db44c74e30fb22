"""From what a stack declares to figures: read from builds, lock files, packages and sources."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from python_runner.common.build.cache import is_built
from python_runner.common.build.times import BuildTime, kept_time
from python_runner.common.errors import PolystackError, reason_of
from python_runner.common.locations import source_root
from python_runner.engines.checkup import survey
from python_runner.engines.contract import Engine
from python_runner.engines.upkeep.crates import crates_of
from python_runner.engines.upkeep.declared import Built, Upkeep
from python_runner.engines.upkeep.fact import (
    BUILD,
    DEPENDENCIES,
    DEPLOYED,
    OWN_LINES,
    Counted,
    Fact,
    unknown,
)
from python_runner.engines.upkeep.lines import lines_of, own_files
from python_runner.engines.upkeep.modules import modules_of
from python_runner.engines.upkeep.packages import (
    Needed,
    locked_here,
    locked_packages,
    needed_packages,
    python_files,
    recorded_bytes,
)
from python_runner.engines.upkeep.table import upkeep_of

_LOCKS = ("polystack.txt", "llama-cpp-source.txt")
_LARGEST = 3
_MB = 1e6


def facts_of(name: str, candidate: Engine) -> tuple[Fact, ...]:
    """The figures of a stack that files tell, one for each of `UNITS`. Builds nothing.

    Args:
        name: of the stack, as in `engine(name)`.
        candidate: that engine.
    """
    declared = upkeep_of(name)
    if declared is None:
        reason = "its engine does not declare what belongs to it (engines/upkeep/table.py)"
        counted = dict.fromkeys((BUILD, DEPLOYED, DEPENDENCIES, OWN_LINES), unknown(reason))
    else:
        counted = figures_of(Inventory(declared=declared, used=_builds(candidate), stack=name))
    spec = candidate.spec
    return tuple(
        Fact(
            stack=name,
            title=spec.title,
            language=spec.language.value,
            reach=spec.reach.value,
            figure=figure,
            value=found.value,
            source=found.source,
            why_unknown=found.why_unknown,
        )
        for figure, found in counted.items()
    )


@dataclass(frozen=True)
class Inventory:
    """What a stack declares, and where that lies on this machine."""

    declared: Upkeep
    used: tuple[Path, ...] = ()
    """Folders of the builds that it uses, made or not."""
    root: Path = field(default_factory=source_root)
    """The checkout."""
    stack: str = "NAME"

    def folder_of(self, built: Built) -> Path | None:
        """Where this build is; None if it has not been made."""
        kinds = (built.name, f"{built.name}-variant")
        found = (path for path in self.used if path.name.rpartition("-")[0] in kinds)
        return next((path for path in found if is_built(path)), None)

    @property
    def unbuilt(self) -> tuple[str, ...]:
        """Builds that have not been made."""
        return tuple(one.name for one in self.declared.builds if self.folder_of(one) is None)

    @cached_property
    def needed(self) -> Needed:
        """The Python packages of the stack."""
        return needed_packages(self.declared.packages)

    def shipped(self) -> tuple[Path, ...]:
        """Compiled files and what the user has brought. Raises SetupError."""
        files = [
            path
            for built in self.declared.builds
            if (folder := self.folder_of(built)) is not None
            for path in files_in(folder, built.ships)
        ]
        for path in self.declared.brought.find() if self.declared.brought else ():
            files += files_in(path, ("**/*",)) if path.is_dir() else [path]
        return tuple(dict.fromkeys(files))


def figures_of(stack: Inventory) -> dict[str, Counted]:
    """Each figure; one that cannot be had says why."""
    ways: Mapping[str, Callable[[Inventory], Counted]] = {
        BUILD: build_time,
        DEPLOYED: deployed_size,
        DEPENDENCIES: dependencies,
        OWN_LINES: own_lines,
    }
    return {figure: _counted(way, stack) for figure, way in ways.items()}


def build_time(stack: Inventory) -> Counted:
    """Wall seconds of all builds of the stack, each as it was made last."""
    declared = stack.declared
    if declared.brought:
        return unknown("it is not compiled here")
    if stack.unbuilt:
        return unknown(f"not built yet: {', '.join(stack.unbuilt)}")
    compiled = [built for built in declared.builds if built.is_compiled]
    folders = {built: stack.folder_of(built) for built in compiled}
    times = {built: kept_time(folder) for built, folder in folders.items() if folder}
    lacking = [built.name for built, taken in times.items() if taken is None]
    if lacking:
        return unknown(
            f"{', '.join(lacking)} built before times were kept: "
            f"`polystack build --again --stacks {stack.stack}` measures it"
        )
    known = {built: taken for built, taken in times.items() if taken is not None}
    if not known:
        return Counted(value=0.0, source="nothing is compiled for it")
    source = "; ".join(_in_words(built, taken) for built, taken in known.items())
    return Counted(value=sum(taken.wall_s for taken in known.values()), source=source)


def deployed_size(stack: Inventory) -> Counted:
    """Bytes of what has to be there for the stack to serve, without the model."""
    declared = stack.declared
    if stack.unbuilt:
        return unknown(f"not built yet: {', '.join(stack.unbuilt)}")
    parts = {path.name: path.stat().st_size for path in stack.shipped()}
    total = sum(path.stat().st_size for path in stack.shipped())
    if declared.needs_python:
        if stack.needed.missing:
            return unknown(f"not installed: {', '.join(stack.needed.missing)}")
        python = sum(path.stat().st_size for path in python_files())
        sizes = {name: recorded_bytes(each) for name, each in stack.needed.found.items()}
        if unrecorded := [name for name, size in sizes.items() if size is None]:
            return unknown(f"installed without a RECORD: {', '.join(unrecorded)}")
        known = {name: size for name, size in sizes.items() if size is not None}
        parts |= {"Python": python, **known}
        total += python + sum(known.values())
    largest = sorted(parts.items(), key=lambda item: -item[1])[:_LARGEST]
    names = ", ".join(f"{name} {size / _MB:.1f} MB" for name, size in largest)
    count = f"{len(parts)} parts, the largest: " if len(parts) > _LARGEST else ""
    spare = f"; could be left out: {declared.spare}" if declared.spare else ""
    return Counted(value=float(total), source=f"{count}{names}{spare}")


def dependencies(stack: Inventory) -> Counted:
    """Packages that the stack stands on, direct and indirect, in Python, Rust, Go and C++."""
    declared = stack.declared
    if declared.brought and not declared.is_go:
        return unknown("it is built elsewhere, and brings no lock file")
    if stack.needed.missing:
        return unknown(f"not installed: {', '.join(stack.needed.missing)}")
    total, sources = 0, []
    if wanted := _python_names(stack):
        locked = wanted & locked_names(stack.root)
        if loose := wanted - locked:
            return unknown(f"not in the lock files: {', '.join(sorted(loose))}")
        total += len(locked)
        sources.append(f"{len(locked)} from requirements/")
    if declared.lock:
        own = locked_here((stack.root / "requirements" / declared.lock).read_text(encoding="utf-8"))
        total += len(own)
        sources.append(f"{len(own)} from requirements/{declared.lock}")
    if declared.crate:
        crates, said = crates_of(stack.root / "native" / "rust", declared.crate)
        total += crates
        sources.append(f"{crates} crates from {said}")
    if declared.is_go:
        if stack.unbuilt:
            return unknown(f"not built yet: {', '.join(stack.unbuilt)}")
        programs = [path for path in stack.shipped() if not path.suffix]
        modules = modules_of(programs)
        total += len(modules)
        sources.append(f"{len(modules)} modules in {', '.join(path.name for path in programs)}")
    sources = sources or ["it needs no package"]
    left_out = [f"not counted: {declared.unlisted}"] if declared.unlisted else []
    return Counted(value=float(total), source="; ".join([*sources, *left_out]))


def own_lines(stack: Inventory) -> Counted:
    """Lines of code of ours that belong to the stack."""
    files = own_files(stack.root, stack.declared.own)
    if not files:
        return unknown("none of the files that it declares is there")
    places = dict.fromkeys(_place(path.relative_to(stack.root)) for path in files)
    return Counted(
        value=float(lines_of(files)), source=f"{len(files)} files in {', '.join(places)}"
    )


def files_in(folder: Path, patterns: Iterable[str]) -> list[Path]:
    """The files that the globs name, links followed, each once."""
    found = {path.resolve() for pattern in patterns for path in folder.glob(pattern)}
    return sorted(path for path in found if path.is_file())


def _python_names(stack: Inventory) -> frozenset[str]:
    """Python packages that the stack needs or has compiled in, missing ones left out."""
    return frozenset(stack.needed.found) | frozenset(stack.declared.compiled_in)


def locked_names(root: Path) -> frozenset[str]:
    """The Python packages in the lock files of the checkout."""
    texts = [(root / "requirements" / name).read_text(encoding="utf-8") for name in _LOCKS]
    return frozenset().union(*(locked_packages(text) for text in texts))


def _builds(candidate: Engine) -> tuple[Path, ...]:
    try:
        return survey(candidate).used
    except OSError:
        return ()


def _counted(way: Callable[[Inventory], Counted], stack: Inventory) -> Counted:
    try:
        return way(stack)
    except (PolystackError, OSError, ValueError) as error:
        return unknown(error.message if isinstance(error, PolystackError) else reason_of(error))


def _in_words(built: Built, taken: BuildTime) -> str:
    words = [
        f"{built.name} {taken.wall_s:.0f} s on {taken.cores} cores ({taken.cpu_s:.0f} s of CPU)"
    ]
    if taken.from_nothing:
        words.append("from nothing")
    elif built.compiler_cache:
        words.append(f"with what {built.compiler_cache} had kept")
    if taken.was_busy:
        words.append(f"on a busy machine (load {taken.load_before:.1f}): too long")
    return ", ".join(words)


def _place(path: Path) -> str:
    """`native/cpp` for whatever lies in it, else the folder."""
    return "/".join(path.parts[:2])

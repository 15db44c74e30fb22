"""What an engine declares of itself, so that what it costs to own can be counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Built:
    """One build of `common.build.cache` that the stack stands on."""

    name: str
    """As given to `build_once` or `build_extension`; its variants (`NAME-variant`) count too."""
    ships: tuple[str, ...]
    """Globs inside its folder: what of it has to be there for the stack to serve."""
    compiler_cache: str = ""
    """Who keeps compiled parts from one build to the next, which makes a later one shorter:
    `cargo` or `Go`. Empty: nobody, each build starts from nothing."""
    is_compiled: bool = True
    """Whether it is more than files that are fetched: those take no time to build."""


@dataclass(frozen=True, kw_only=True)
class Brought:
    """What the user has installed, and nobody built here."""

    find: Callable[[], tuple[Path, ...]]
    """The files and folders that are shipped. Raises SetupError if there are none."""


@dataclass(frozen=True, kw_only=True)
class Upkeep:
    """What belongs to one stack. What several stacks share is named by each of them."""

    own: tuple[str, ...]
    """Globs from the root of the checkout: engine file, build file, binding. Tests left out."""
    builds: tuple[Built, ...] = ()
    """What is compiled for it."""
    brought: Brought | None = None
    """Of a stack that the user brings."""
    needs_python: bool = False
    """Whether Python runs where the stack serves: then interpreter and standard library are
    shipped, and `packages`."""
    packages: tuple[str, ...] = ()
    """Python requirements when it serves, extras included; what they need in turn is found."""
    compiled_in: tuple[str, ...] = ()
    """Pinned Python packages whose source becomes part of a build: dependencies, not shipped."""
    lock: str = ""
    """The file in `requirements/` of the Python packages that are installed for it alone: into an
    environment of its own, or beside `packages`. That is then one of `builds`."""
    crate: str = ""
    """The crate of `native/rust` that is built for it."""
    is_go: bool = False
    """Whether its shipped programs are Go's, which carry a list of their modules."""
    spare: str = ""
    """What of its size could be left out by who takes other packages, in words."""
    unlisted: str = ""
    """What its dependencies leave out, because no lock file here names it."""

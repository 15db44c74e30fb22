"""What the facts of a condition are read from: what was asked for, and what was seen."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile

from python_runner.engines.contract import EngineDescription, EngineSpec, LaunchSettings
from python_runner.measure.plan import Prompt


@dataclass(frozen=True, kw_only=True)
class Work:
    """What the requests of a run ask, one at a time or many at once."""

    prompts: tuple[Prompt, ...]
    """All that are asked."""
    new_tokens: int
    template: str
    sampling: str

    may_end: bool = False
    """Whether the model may end an answer before `new_tokens`."""
    in_turn: bool = False
    """Whether the same few prompts are asked again and again."""

    @property
    def shared_tokens(self) -> int | None:
        """With how many tokens all prompts begin alike: what a prompt cache saves.

        The first of them, which is BOS for most models, is not counted, nor is what two of many
        happen to share. None if it is not known.
        """
        different = {prompt.ids for prompt in self.prompts}
        if self.in_turn and len(different) > 1:
            return None
        return max(0, _in_common(different) - 1) if len(self.prompts) > 1 else 0


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How the model's tokenizer, or an engine, reads the prompts."""

    counts: tuple[int, ...]
    """Tokens of each prompt that was read, in order."""
    ids: str | None = None
    """A digest of all ids; None where an engine gives none."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What an engine said and showed when it ran."""

    description: EngineDescription
    affinity: str | None = None
    """On which processors its processes may run."""
    reading: Reading | None = None


@dataclass(frozen=True, kw_only=True)
class Known:
    """What is known of a condition. Before an engine has run, nothing was seen of it."""

    spec: EngineSpec
    settings: LaunchSettings
    work: Work | None = None
    seen: Seen | None = None

    def says(self, *names: str) -> str | None:
        """The first of these entries that the engine's description has."""
        build = self.seen.description.build if self.seen else {}
        return next((build[name] for name in names if build.get(name)), None)


def reading_of(ids: Sequence[tuple[int, ...]]) -> Reading:
    """The reading that these ids are."""
    written = (" ".join(map(str, each)) for each in ids)
    return Reading(counts=tuple(len(each) for each in ids), ids=digest(written))


def digest(texts: Iterable[str]) -> str:
    """The first digits of a hash over texts; no two lists of texts share one by accident."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:12]


def _in_common(sequences: Collection[tuple[int, ...]]) -> int:
    """Length of the beginning that all of them share."""
    # In order, the first and the last are those that share least.
    ends = zip(min(sequences), max(sequences), strict=False)
    return sum(1 for _ in takewhile(lambda ids: ids[0] == ids[1], ends))

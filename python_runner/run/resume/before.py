"""What an interrupted comparison has, and what is left of its visits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from python_runner.measure import Block
from python_runner.measure.plan import NOTHING, Done

Stop = tuple[Block, str]
"""A visit to a stack in a block."""


@dataclass(frozen=True, kw_only=True)
class Before:
    """Of each stack what there is; by default nothing, as in a run that begins."""

    done: Mapping[str, Done] = field(default_factory=dict)
    failures: Mapping[str, int] = field(default_factory=dict)
    """Stack to its requests that failed in a row at the end."""
    ended: Mapping[str, str] = field(default_factory=dict)
    """Stacks that had ended before their time, with the reason."""
    alone: frozenset[str] = frozenset()
    """Stacks that come late: built after the others' first block, or tried again. What the
    others did without them they do in blocks of their own: it lies too far from the others'."""
    spent_s: float = 0.0
    """Of all visits so far."""
    visits_s: Mapping[str, float] = field(default_factory=dict)
    """Stack to what its latest visit took."""

    def of(self, name: str) -> Done:
        """What there is of one stack."""
        return self.done.get(name, NOTHING)

    @property
    def last_block(self) -> int:
        """The highest number of a block that has a timed iteration; 0: there is none."""
        numbers = (number for each in self.done.values() for number in each.timed.values())
        return max(numbers, default=0)

    def block_of(self, iteration: int) -> int | None:
        """In which block an iteration was made, by those who made it together; None: by nobody."""
        # A block of a stack's own has a higher number than that of the others.
        found = (each.timed.get(iteration) for each in self.done.values())
        return min((number for number in found if number is not None), default=None)

    def rest_of(self, stops: Sequence[Stop], last_block: int) -> list[Stop]:
        """The stops at which something is left to do, in their order.

        Blocks of one stack's own come at the end, numbered after `last_block`.
        """
        left = [(block, name) for block, name in stops if self.of(name).left(block)]
        shared: list[Stop] = []
        own: list[Stop] = []
        for block, name in left:
            others = [each for each in left if each[0] == block and each[1] not in self.alone]
            is_late = name in self.alone and not others and self._is_begun(block, name)
            (own if is_late else shared).append((block, name))
        numbers: dict[int, int] = {}
        for block, name in own:
            known = self._own_number(block, name)
            if known is None and block.number not in numbers:
                last_block = numbers[block.number] = max(last_block, self.last_block) + 1
            number = numbers[block.number] if known is None else known
            shared.append((replace(block, number=number), name))
        return shared

    def _is_begun(self, block: Block, name: str) -> bool:
        """Whether others have been visited in this block."""
        timed = range(block.first, block.first + block.count)
        others = [done for other, done in self.done.items() if other != name]
        return any(number in done.timed for done in others for number in timed)

    def _own_number(self, block: Block, name: str) -> int | None:
        """Of the block of its own in which a stack has begun with what it missed."""
        timed = self.of(name).timed
        found = (timed.get(n) for n in range(block.first, block.first + block.count))
        return next((n for n in found if n is not None and n != block.number), None)

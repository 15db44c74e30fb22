"""Which iterations make a block, and in which order a block visits the stacks.

A block is one visit to every stack: each is loaded, warmed up, timed a few times and stopped.
Why so stands in docs/decisions/0010.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Block:
    """One visit to every stack."""

    number: int
    """From 1, in the order of time."""
    first: int
    """The first of its timed iterations, from 1."""
    count: int
    """How many timed iterations it has."""


def make_blocks(
    iterations: int, blocks: int, *, first_number: int = 1, first_iteration: int = 1
) -> tuple[Block, ...]:
    """Spread iterations evenly over blocks, one after the other.

    Where they do not divide, the first blocks have one iteration more than the last. No block
    is empty: more blocks than iterations make as many as there are iterations.
    """
    whole, rest = divmod(iterations, min(blocks, iterations))
    found, first = [], first_iteration
    for index in range(min(blocks, iterations)):
        count = whole + (index < rest)
        found.append(Block(number=first_number + index, first=first, count=count))
        first += count
    return tuple(found)


def visiting_order(stacks: int, block: int) -> list[int]:
    """In which order a block visits the stacks.

    Every second block is the mirror of the one before (A B B A), and each such couple starts
    one stack later. A steady drift then harms all alike.

    Args:
        stacks: how many there are.
        block: which one, from 0.
    """
    turned = block // 2 % stacks
    order = [*range(turned, stacks), *range(turned)]
    return order if block % 2 == 0 else order[::-1]

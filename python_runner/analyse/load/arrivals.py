"""From the chunks of an answer to what arrived, and when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from python_runner.analyse.latency import NAN
from python_runner.analyse.reads import MOST
from python_runner.common.clock import NS_PER_MS

Floats = npt.NDArray[np.float64]
_END_MARK = 1
"""Servers may count the token that ends an answer, for which they send no chunk."""


@dataclass(frozen=True, kw_only=True)
class Arrivals:
    """An answer as it came: r reads of the connection that brought content."""

    stamps: npt.NDArray[np.int64]
    """Shape (r,): when each was read, in ns."""
    tokens: Floats
    """(r,): tokens in each; NaN where nobody counted them."""
    chunks: int
    total: float
    """Output tokens; NaN if not known."""
    is_token_by_chunk: bool
    """Whether each chunk is one token, as far as one can tell."""

    @property
    def unknown_gaps(self) -> int:
        """Chunks that shared a read with the one before: when they were made, nobody saw."""
        return self.chunks - self.stamps.size

    @property
    def is_at_once(self) -> bool:
        """Whether the first read brought most of an answer of at least two tokens."""
        return self.total > 1 and bool(self.tokens.size and self.tokens[0] > MOST * self.total)

    @property
    def gaps_ms(self) -> Floats:
        """ITL: from one read to the next, shape (max(r - 1, 0),).

        There is no gap between chunks of one read: the zero between their stamps says how
        the transport cut the stream, and nothing about the server.
        """
        return np.diff(self.stamps).astype(np.float64) / NS_PER_MS

    @property
    def decode_ms(self) -> float:
        """From the first read to the last; NaN for fewer than two."""
        if self.stamps.size < 2:
            return NAN
        return float(self.stamps[-1] - self.stamps[0]) / NS_PER_MS

    @property
    def tpot_ms(self) -> float:
        """TPOT: (last read - first read) / tokens that came after the first read.

        That is (end - first token) / (tokens - 1) where the first read brings one token, and
        stays right where reads bring more.
        """
        rest = float(self.total - self.tokens[0]) if self.tokens.size else NAN
        return self.decode_ms / rest if rest > 0 else NAN


def arrivals(request: Mapping[Any, Any]) -> Arrivals:
    """The arrivals of one request, as `store` reads it.

    Chunks of unknown size share the tokens that the server counted evenly among them.
    """
    stamps = np.asarray(request["chunk_ns"], dtype=np.int64)
    reads = np.asarray(request["chunk_reads"], dtype=np.int64)
    sizes = np.asarray(request["chunk_tokens"], dtype=np.float64)
    total = _total(int(request["output_tokens"]), sizes)
    are_known = bool((sizes > 0).all())
    if not are_known:
        sizes = np.full(sizes.size, total / max(1, sizes.size))
    starts = np.flatnonzero(np.diff(reads, prepend=reads[:1] - 1))
    return Arrivals(
        stamps=stamps[starts],
        tokens=np.add.reduceat(sizes, starts) if starts.size else np.empty(0),
        chunks=stamps.size,
        total=total,
        is_token_by_chunk=_is_token_by_chunk(sizes, total, are_known=are_known),
    )


def _total(counted: int, sizes: Floats) -> float:
    if counted >= 0:
        return float(counted)
    return float(sizes.sum()) if sizes.size and (sizes > 0).all() else NAN


def _is_token_by_chunk(sizes: Floats, total: float, *, are_known: bool) -> bool:
    if are_known:
        return bool((sizes == 1).all())
    return bool(total <= sizes.size + _END_MARK)

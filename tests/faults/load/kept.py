"""What a store kept of a load on a server whose tokens bear numbers."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from python_runner.store.arrays import INT32, unpack

_QUERY = """
SELECT load_requests.number, error_kind, text, output_tokens, chunk_ns, chunk_tokens, chunk_reads
FROM load_requests JOIN load_levels USING (level_id) JOIN conditions USING (condition_id)
WHERE run_id = ? ORDER BY load_requests.number
"""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One request of a load, as the store has it."""

    number: int
    """Order of sending, from 0."""
    error_kind: str
    served: str
    """The server's number of it, which its tokens bear; empty: it has none."""
    tokens: int
    """That came, each of which was the next."""
    unknown_gaps: int
    """Tokens that came in one read with the one before."""


def answers_of(path: Path, run_id: int) -> Iterator[Answer]:
    """All requests of a run. Fails if a token is lost, doubled or another answer's."""
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as store:
        for number, kind, text, counted, stamps, chunks, reads in store.execute(_QUERY, (run_id,)):
            words = text.split()
            served = words[0].partition(".")[0] if words else ""
            assert words == [f"{served}.{place}" for place in range(len(words))], text
            times, is_same = unpack(stamps), np.diff(unpack(reads, INT32)) == 0
            assert len(times) == len(words)
            assert np.array_equal(np.diff(times) == 0, is_same)
            assert np.all(np.diff(times) >= 0)
            if not kind:
                assert counted == len(words)
                assert unpack(chunks, INT32).tolist() == [1] * len(words)
            yield Answer(
                number=number,
                error_kind=kind,
                served=served,
                tokens=len(words),
                unknown_gaps=int(is_same.sum()),
            )

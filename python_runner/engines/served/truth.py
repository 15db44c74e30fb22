"""The server whose truth is known: clients are measured against it, and tests stand on it.

It is our Rust crate `native/rust/truth-server`. It runs on a thread of this process that needs
no GIL, listens on 127.0.0.1, and stamps every event just before it is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from python_runner.common.build.cache import hash_tree
from python_runner.common.build.extension import build_extension, import_extension
from python_runner.common.locations import source_root
from python_runner.common.progress import Progress
from python_runner.engines.served.streaming import prepare_stream_client

if TYPE_CHECKING:
    import polystack_truth

_MODULE = "polystack_truth"
_EXPECTED_S = 40.0


@dataclass(frozen=True, kw_only=True)
class ServedRequest:
    """What really happened to one request. Times are nanoseconds of CLOCK_MONOTONIC."""

    seen_ns: int
    """It was read whole."""
    due_ns: npt.NDArray[np.int64]
    """Shape (events,): when each event with content was due."""
    written_ns: npt.NDArray[np.int64]
    """(events,): just before it was written."""
    tokens: npt.NDArray[np.int32]
    """(events,): tokens in it."""


def prepare_truth_server(progress: Progress) -> Path:
    """The folder of the built server, built if it is not there yet. Raises SetupError."""
    workspace = source_root() / "native" / "rust"
    return build_extension(
        "polystack-truth",
        workspace / "truth-server",
        recipe_extra={
            "workspace": hash_tree(workspace, ("Cargo.toml", "Cargo.lock")),
            # It reads the clock and sets timers by the client's own code.
            "client": hash_tree(workspace / "stream-client"),
        },
        env={},
        expected_s=_EXPECTED_S,
        why="clients are measured against it",
        progress=progress,
    )


def prepare_client(progress: Progress) -> None:
    """Build what times a served engine: the client, and the server it is measured against.

    Raises SetupError.
    """
    prepare_stream_client(progress)
    prepare_truth_server(progress)


def truth_server(folder: Path) -> type[polystack_truth.TruthServer]:
    """The class of the server, from the folder that `prepare_truth_server` gave."""
    import_extension(folder, _MODULE)
    import polystack_truth

    return polystack_truth.TruthServer


def served_requests(truth: polystack_truth.Truth) -> dict[str, ServedRequest]:
    """What the server gives out, by the id of the request."""
    offsets = np.frombuffer(truth.offsets, dtype="<i8")
    seen = np.frombuffer(truth.seen_ns, dtype="<i8")
    due = np.frombuffer(truth.due_ns, dtype="<i8")
    written = np.frombuffer(truth.written_ns, dtype="<i8")
    tokens = np.frombuffer(truth.tokens, dtype="<i4")
    return {
        request_id: ServedRequest(
            seen_ns=int(seen[index]),
            due_ns=due[begin:end],
            written_ns=written[begin:end],
            tokens=tokens[begin:end],
        )
        for index, (request_id, begin, end) in enumerate(
            zip(truth.request_id, offsets[:-1], offsets[1:], strict=True)
        )
    }

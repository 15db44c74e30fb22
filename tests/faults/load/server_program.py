"""A server whose truth is known, in a process of its own, which keeps no truth in memory.

`python -m tests.faults.load.server_program OPTIONS LEDGER`: options as a JSON object. Prints its
address; writes a line `NUMBER TOKENS` to the ledger for each request that it has answered.
"""

from __future__ import annotations

import json
import signal
import sys
import threading
from pathlib import Path
from typing import IO, Any

from python_runner.common.progress import SilentProgress
from python_runner.engines.served.truth import prepare_truth_server, served_requests, truth_server

_EVERY_S = 0.5


def main() -> None:
    options, ledger = json.loads(sys.argv[1]), Path(sys.argv[2])
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    server = truth_server(prepare_truth_server(SilentProgress()))(**options)
    sys.stdout.write(f"{server.url}\n")
    sys.stdout.flush()
    with ledger.open("w", encoding="utf-8") as lines:
        while not ended.wait(_EVERY_S):
            _note(server.take(), lines)
        server.stop()
        _note(server.take(), lines)


def _note(truth: Any, lines: IO[str]) -> None:
    for number, served in served_requests(truth).items():
        lines.write(f"{number} {int(served.tokens.sum())}\n")
    lines.flush()


if __name__ == "__main__":
    main()

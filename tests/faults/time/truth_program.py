"""The server whose truth is known, in a process of its own that a test can stop."""

from __future__ import annotations

import sys

from python_runner.common.progress import SilentProgress
from python_runner.engines.served.truth import prepare_truth_server, truth_server


def main() -> None:
    """Serve until the input ends; the first line is the URL."""
    server = truth_server(prepare_truth_server(SilentProgress()))(ttft="50ms", itl="30ms")
    sys.stdout.write(f"{server.url}\n")
    sys.stdout.flush()
    sys.stdin.read()
    server.stop()


if __name__ == "__main__":
    main()

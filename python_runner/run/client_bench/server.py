"""The truth server in a process of its own: prints its URL, and ends with its standard input.

`python -m python_runner.run.client_bench.server TTFT ITL`
"""

from __future__ import annotations

import sys

from python_runner.common.progress import SilentProgress
from python_runner.engines.served.truth import prepare_truth_server, truth_server


def main() -> None:
    """Serve until nobody is left who wants it."""
    ttft, itl = sys.argv[1:]
    server = truth_server(prepare_truth_server(SilentProgress()))(ttft=ttft, itl=itl)
    print(server.url, flush=True)  # noqa: T201 - the one line that the parent reads
    sys.stdin.read()
    server.stop()


if __name__ == "__main__":
    main()

"""Starts the stand-in.

`python -m tests.servers.stand_in SETTINGS ARGUMENTS…`: the settings, JSON, say which dialect,
which answers are known, and how many tokens a chunk holds; the arguments are those that the real
program would get. It knows the real one's options and no others.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from http.server import ThreadingHTTPServer
from pathlib import Path

from tests.servers.stand_in.dialect import dialect_called, parsed
from tests.servers.stand_in.handler import Handler
from tests.servers.stand_in.known import Server

_MODULE = "tests.servers.stand_in"
_LOADING_S = 0.05
_BELOW = "STAND_IN_BELOW"


def main() -> None:
    """Be that server."""
    settings = json.loads(Path(sys.argv[1]).read_text())
    dialect = dialect_called(settings["dialect"])
    arguments = sys.argv[2:]
    if arguments[:1] == ["-c"] or arguments == dialect.get("version_words"):
        sys.stdout.write(f"{dialect['version_says']}\n")
        return
    if arguments[:1] in (["main.py"], ["server.py"]):
        arguments = arguments[1:]
    options = parsed(dialect, arguments)
    assert options[dialect.get("host_option", "--host")] == "127.0.0.1"
    if "reads_file" in dialect:
        assert Path(options[dialect["reads_file"]]).read_text()
    if dialect.get("serves_below") and _BELOW not in os.environ:
        below = {**os.environ, _BELOW: str(os.getpid())}
        command = [sys.executable, "-m", _MODULE, *sys.argv[1:]]
        sys.exit(subprocess.Popen(command, env=below).wait())
    serve(Server(settings, options))


def serve(known: Server) -> None:
    """Answer until it is ended; as a child, until the parent is gone."""
    Handler.known = known
    if known.dialect["ready"]["loading"] == "refused":
        time.sleep(_LOADING_S)
        known.is_loaded = True
    else:
        threading.Timer(_LOADING_S, lambda: setattr(known, "is_loaded", True)).start()
    server = ThreadingHTTPServer(("127.0.0.1", known.port), Handler)
    server.daemon_threads = True
    if _BELOW in os.environ:
        threading.Thread(target=_end_with_parent, daemon=True).start()
    server.serve_forever()


def _end_with_parent() -> None:
    while os.getppid() == int(os.environ[_BELOW]):
        time.sleep(0.02)
    os._exit(1)


if __name__ == "__main__":
    main()

"""A server of OpenAI's completions without a model that goes wrong when it is told to.

`python -m tests.faults.engines.server PORT`, without Python's site packages: it starts sooner.
"""

from __future__ import annotations

import json
import socket
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.faults.engines.doing import Fault

_MIDDLE = 2
FAULT = Fault()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Nothing."""

    def do_GET(self) -> None:
        status = 503 if FAULT.is_due("ready") else 200
        body = json.dumps({"version": "1"}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        FAULT.asked()
        FAULT.come("first")
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        wanted = asked["max_tokens"]
        for number in range(wanted):
            if number == _MIDDLE:
                FAULT.come("middle")
            end = "length" if number == wanted - 1 and not FAULT.is_due("after") else None
            choice = {"text": " t", "token_ids": [10 + number], "finish_reason": end}
            self._event({"choices": [choice]})
        FAULT.come("after")
        usage = {"prompt_tokens": len(asked["prompt"]), "completion_tokens": wanted}
        self._event({"choices": [], "usage": usage})
        self._part(b"data: [DONE]\n\n")
        self._part(b"")

    def _event(self, document: object) -> None:
        self._part(f"data: {json.dumps(document)}\n\n".encode())

    def _part(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def server_bind(self) -> None:
        if "shares-its-port" in FAULT.also:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        super().server_bind()

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that go away are no fault of this program."""


if __name__ == "__main__":
    FAULT.begin()
    Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()

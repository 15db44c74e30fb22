"""What goes over a connection."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.servers.stand_in.dialect import RefusedError, filled
from tests.servers.stand_in.known import Server
from tests.servers.stand_in.stream import BROKEN, events


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    known: Server

    def log_message(self, *_: object) -> None:
        """Nothing."""

    def do_GET(self) -> None:
        dialect = self.known.dialect
        ready = dialect["ready"]
        if self.path == ready["path"]:
            if not self.known.is_loaded:
                self._send(ready["loading"], ready.get("loading_body", ""))
                return
            self._send(200, ready.get("body", "").replace("$MODEL", self.known.name))
        elif self.path == dialect.get("version_path"):
            self._send(200, json.dumps({"version": dialect["version"]}))
        else:
            self._send(404, '{"detail": "Not Found"}')

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path != "/v1/completions":
            self._send(404, '{"detail": "Not Found"}')
            return
        try:
            stream = events(self.known, body)
            first = next(stream)
        except RefusedError as refused:
            template = json.loads(refused.template)
            text = json.dumps(filled(template, {"$WHY": refused.why}))
            self._send(refused.status, json.dumps(text) if self._is_text() else text)
            return
        self._stream(first, stream)

    def _is_text(self) -> bool:
        return bool(self.known.dialect.get("error_is_text"))

    def _stream(self, first: Any, rest: Iterator[Any]) -> None:
        dialect = self.known.dialect
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        end = dialect.get("newline", "\n")
        if "ping" in dialect:
            self._write(f"{dialect['ping']}{end}{end}")
        for message in (first, *rest):
            if message is BROKEN and "in_stream" not in dialect:
                self.close_connection = True
                return
            self._write(f"data: {json.dumps(self._told(message))}{end}{end}")
        self._write(f"data: [DONE]{end}{end}")
        self.wfile.write(b"0\r\n\r\n")

    def _told(self, message: Any) -> Any:
        if message is not BROKEN:
            return message
        return filled(json.loads(self.known.dialect["in_stream"]), {"$WHY": "the engine failed"})

    def _write(self, text: str) -> None:
        data = text.encode()
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()

    def _send(self, status: int, text: str) -> None:
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

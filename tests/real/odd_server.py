"""One small server that does, by the first part of the path, what servers of others may do."""

from __future__ import annotations

import contextlib
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

CERTIFICATE = Path(__file__).parents[1] / "data" / "tls" / "localhost.pem"
"""Of `localhost` and 127.0.0.1, signed by itself: only who names it trusts it."""
_PRIVATE = CERTIFICATE.with_suffix(".key")
MODELS = {"object": "list", "data": [{"id": "tgi", "object": "model", "owned_by": "odd"}]}
PIECES = ("one", " two", " three", " four", " five", " six", " seven", " eight")
PROMPT_TOKENS = 7
_HANG_S = 30.0


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: OddServer

    def setup(self) -> None:
        with contextlib.suppress(OSError):
            super().setup()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Nothing: tests look at what the client says."""

    def do_HEAD(self) -> None:
        self._answer(200, b"", {})

    def do_GET(self) -> None:
        odd, _, rest = self.path.lstrip("/").partition("/")
        if odd in ODD and odd not in LISTS_MODELS:
            ODD[odd](self)
        elif rest == "v1/models":
            self.json(200, MODELS)
        else:
            self.json(404, {"detail": "Not Found"})

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        self.body = json.loads(self.rfile.read(length))
        odd = self.path.lstrip("/").partition("/")[0]
        ODD.get(odd, _Handler.stream)(self)

    def json(self, status: int, document: object, headers: Mapping[str, str] | None = None) -> None:
        kind = {"Content-Type": "application/json"}
        self._answer(status, json.dumps(document).encode(), {**kind, **(headers or {})})

    def html(self, status: int) -> None:
        page = b"<!doctype html><html><body>Welcome to nginx!</body></html>"
        self._answer(status, page, {"Content-Type": "text/html"})

    def moved(self) -> None:
        self._answer(307, b"", {"Location": "https://elsewhere.example/v1/completions"})

    def _answer(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def stream(self, *, counts: bool = True, text: str = "") -> None:
        """As many pieces as tokens were asked for, and the counts if they are."""
        is_chat = "messages" in self.body
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        wanted = int(self.body["max_tokens"])
        for number in range(wanted):
            piece = text or PIECES[number % len(PIECES)]
            choice = {"delta": {"content": piece}} if is_chat else {"text": piece}
            end = "length" if number == wanted - 1 else None
            self.event({"choices": [{"index": 0, **choice, "finish_reason": end}]})
        if counts:
            prompt = self.server.prompt_tokens(self.body)
            usage = {"prompt_tokens": prompt, "completion_tokens": wanted}
            self.event({"choices": [], "usage": usage})
        self.part(b"data: [DONE]\n\n")
        self.part(b"")

    def event(self, document: object) -> None:
        self.part(f"data: {json.dumps(document)}\n\n".encode())
        time.sleep(0.001)

    def part(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()

    def hang(self) -> None:
        self.server.is_over.wait(_HANG_S)
        self.close_connection = True

    def hang_up(self) -> None:
        self.close_connection = True
        self.connection.close()

    def busy_at_times(self) -> None:
        """Every third prompt of a load is one too many; the checks before it ask another one."""
        number = self.server.number_of(self.body["prompt"])
        if number and number % 3 == 0:
            self.json(429, {"error": {"message": "slow down"}}, {"Retry-After": "2"})
        else:
            self.stream()

    def repeats_the_key(self) -> None:
        self.send_header_with_key()
        self.stream(text=f" {self.headers['Authorization']}")

    def refuses_with_the_key(self) -> None:
        self.json(401, {"error": {"message": f"wrong: {self.headers['Authorization']}"}})

    def refuses_with_words(self) -> None:
        """As they are: JSON would spell the signs that steer a terminal."""
        self._answer(400, self.server.words.encode(), {"Content-Type": "text/plain"})

    def send_header_with_key(self) -> None:
        """Also where it says what it is."""
        self.server_version = f"odd {self.headers['Authorization']}"


def _says(status: int, words: str, **headers: str) -> Callable[[_Handler], None]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda handler: handler.json(status, {"error": {"message": words}}, named)


ODD: Mapping[str, Callable[[_Handler], None]] = {
    "no-such-path": lambda handler: handler.html(404),
    "page": lambda handler: handler.html(200),
    "json": lambda handler: handler.json(200, {"status": "ok"}),
    "wrong-key": _says(401, "Incorrect API key provided"),
    "forbidden": _says(403, "You have no access to this endpoint"),
    "no-such-model": _says(404, "The model `m` does not exist"),
    "too-many": _says(429, "Rate limit reached"),
    "too-many-wait": _says(429, "Rate limit reached", Retry_After="17"),
    "broken": _says(500, "Internal error"),
    "starting": _says(503, "The endpoint is scaling up"),
    "moved": _Handler.moved,
    "silent": _Handler.hang,
    "hangs-up": _Handler.hang_up,
    "busy-at-times": _Handler.busy_at_times,
    "counts-nothing": lambda handler: handler.stream(counts=False),
    "says": lambda handler: handler.stream(text=handler.server.words),
    "refuses-with-words": _Handler.refuses_with_words,
    "repeats-the-key": _Handler.repeats_the_key,
    "refuses-with-the-key": _Handler.refuses_with_the_key,
}
LISTS_MODELS = frozenset(
    {
        *("no-such-model", "busy-at-times", "counts-nothing", "repeats-the-key", "moved"),
        *("silent", "says"),
    }
)
"""Those that are odd only when they are asked for an answer."""


class OddServer(ThreadingHTTPServer):
    """Serves on a port of its own until its `with` statement ends."""

    daemon_threads = True

    def __init__(self, *, is_tls: bool = False) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.is_over = threading.Event()
        self.prompt_tokens: Callable[[Mapping[str, object]], int] = lambda _body: PROMPT_TOKENS
        """How many tokens it says that a prompt has."""
        self.words: str = ""
        """What `says` answers with, token for token."""
        self._prompts: dict[str, int] = {}
        if is_tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(CERTIFICATE, _PRIVATE)
            self.socket = context.wrap_socket(
                self.socket, server_side=True, do_handshake_on_connect=False
            )
        self._scheme = "https" if is_tls else "http"

    def at(self, odd: str = "well") -> str:
        """The address under which it does this."""
        return f"{self._scheme}://localhost:{self.server_address[1]}/{odd}"

    def number_of(self, prompt: str) -> int:
        """Which prompt it is, of those that were asked: 0 is the first."""
        return self._prompts.setdefault(prompt, len(self._prompts))

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that go away are what some tests are about."""


@contextlib.contextmanager
def odd_server(*, is_tls: bool = False) -> Iterator[OddServer]:
    """One that serves."""
    with OddServer(is_tls=is_tls) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.is_over.set()
            server.shutdown()
            thread.join()

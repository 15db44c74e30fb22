"""A program that can be started as any server of dialects.toml, and answers as that one does.

`python stand_in.py SETTINGS ARGUMENTS…`: the settings, JSON, say which dialect, which answers
are known, and how many tokens a chunk holds; the arguments are those that the real program
would get. It knows the real one's options and no others. It has no model: it gives recorded
answers, and to other prompts tokens made of the prompt's.
"""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

_DIALECTS = Path(__file__).with_name("dialects.toml")
_LOADING_S = 0.05
_BELOW = "STAND_IN_BELOW"
_NAME = "STAND_IN_NAME"
"""What its model is called, where it sees another path than it is told: in a container."""
BREAKS = 66
"""A request for so many tokens fails in mid-stream."""
BROKEN = object()


class RefusedError(Exception):
    """A request that is answered with an error."""

    def __init__(self, status: int, template: str, why: str) -> None:
        super().__init__(why)
        self.status, self.template, self.why = status, template, why


def dialect_called(name: str) -> dict[str, Any]:
    """What dialects.toml says of it."""
    known = tomllib.loads(_DIALECTS.read_text())
    found = known[name]
    return {**known.get(found.get("like"), {}), **found}


def filled(template: Any, values: dict[str, Any]) -> Any:
    """A template of JSON with its values; `$MODEL` also within a text."""
    if isinstance(template, str):
        return values.get(template, template)
    if isinstance(template, list):
        return [filled(each, values) for each in template]
    if isinstance(template, dict):
        return {key: filled(value, values) for key, value in template.items()}
    return template


def parsed(dialect: dict[str, Any], arguments: Sequence[str]) -> dict[str, str]:
    """The options, as the real program would take them. Exits with 2 for one it does not know."""
    rest, found = list(arguments), dict[str, str]()
    for word in dialect.get("words", ()):
        if not rest or (word != "$MODEL" and rest[0] != word):
            _usage(f"expected {word}, got {rest[:1]}")
        if word == "$MODEL":
            found["$MODEL"] = rest[0]
        rest.pop(0)
    kinds = {
        option.rstrip("=+"): option[len(option.rstrip("=+")) :] for option in dialect["options"]
    }
    while rest:
        option = rest.pop(0)
        if option not in kinds:
            _usage(f"unrecognized arguments: {option}")
        found[option] = rest.pop(0) if kinds[option] else "on"
        while kinds[option] == "+" and rest and not rest[0].startswith("--"):
            found[option] += f" {rest.pop(0)}"
    return found


def _usage(why: str) -> None:
    sys.stderr.write(f"error: {why}\n")
    sys.exit(2)


def check_weights(folder: Path) -> None:
    """Exits with 1 if there are none, or a part is missing."""
    files = sorted(folder.glob("*.safetensors"))
    if not files or not (folder / "config.json").is_file():
        sys.exit(f"cannot load {folder}: no weights")
    for path in files:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            header = json.loads(file.read(length))
        ends = [each["data_offsets"][1] for key, each in header.items() if key != "__metadata__"]
        if path.stat().st_size < 8 + length + max(ends):
            sys.exit(f"cannot load {path}: the file is incomplete")


@dataclass(frozen=True)
class Answer:
    """What is said to one request."""

    prompt: tuple[int, ...]
    tokens: tuple[int, ...]
    mark: tuple[int, ...]
    """The token that ended it; empty: it has the length that was asked for."""


class Server:
    """What it knows."""

    def __init__(self, settings: dict[str, Any], options: dict[str, str]) -> None:
        from tokenizers import Tokenizer

        self.settings = settings
        self.dialect = dialect_called(settings["dialect"])
        self.options = options
        self.folder = self._folder()
        check_weights(self.folder)
        self.tokenizer = Tokenizer.from_file(str(self.folder / "tokenizer.json"))
        self.name = self._name()
        self.is_loaded = False

    def _folder(self) -> Path:
        if "$MODEL" in self.options:
            return Path(self.options["$MODEL"])
        names = self.dialect["model_option"].split("/")
        return Path(*(self.options[name] for name in names))

    def _name(self) -> str:
        if _NAME in os.environ:
            return os.environ[_NAME]
        by = self.dialect.get("named_by", "")
        if by in self.options:
            return self.options[by]
        whole = "$MODEL" in self.options or self.dialect.get("model_option") == "--model-path"
        named = str(self.dialect.get("named") or (self.folder if whole else self.folder.name))
        return self.folder.name if by else named

    @property
    def port(self) -> int:
        return int(self.options[self.dialect.get("port_option", "--port")])

    def answer(self, body: dict[str, Any]) -> Answer:
        """What is said to `body`. Raises RefusedError."""
        dialect = self.dialect
        for key in body.keys() - set(dialect.get("known_keys", body.keys())):
            raise RefusedError(
                400, dialect["unknown_key"], f"{key}: Extra inputs are not permitted"
            )
        unknown = dialect.get("unknown_model")
        if unknown and body.get("model") != self.name:
            why = f"The model `{body.get('model')}` does not exist."
            raise RefusedError(unknown["status"], unknown["body"], why)
        given = body["prompt"]
        if ("text" if isinstance(given, str) else "ids") not in dialect["prompts"]:
            raise self._refused("the prompt must be a text")
        prompt = tuple(self._encoded(given) if isinstance(given, str) else given)
        length = body.get("max_tokens") or dialect.get("max_tokens_default", 16)
        if len(prompt) + length > self.settings["context"]:
            raise self._refused(f"{len(prompt)} and {length} tokens do not fit into the context")
        return self._cut(prompt, self._said(prompt, length), body)

    def _refused(self, why: str) -> RefusedError:
        return RefusedError(self.dialect.get("error_status", 400), self.dialect["error"], why)

    def _encoded(self, text: str) -> list[int]:
        ids: list[int] = self.tokenizer.encode(
            text, add_special_tokens=not self.dialect.get("no_bos")
        ).ids
        return ids

    def _said(self, prompt: tuple[int, ...], length: int) -> tuple[int, ...]:
        recorded = self.settings["answers"].get(",".join(map(str, prompt)))
        if recorded is not None:
            return tuple(recorded[:length])
        return invented(prompt, length)

    def _cut(self, prompt: tuple[int, ...], said: tuple[int, ...], body: dict[str, Any]) -> Answer:
        value: Any = body
        for key in self.dialect.get("ignores_end_by", ["nothing"]):
            value = value.get(key) if isinstance(value, dict) else None
        ends = set(self.settings["ends"])
        end = next((at for at, token in enumerate(said) if token in ends), None)
        if value is True or end is None:
            return Answer(prompt, said, ())
        return Answer(prompt, said[:end], said[end : end + 1])

    def text(self, tokens: Sequence[int]) -> str:
        decoded: str = self.tokenizer.decode(list(tokens), skip_special_tokens=False)
        return decoded


def invented(prompt: Sequence[int], length: int) -> tuple[int, ...]:
    """Tokens that hang on the prompt; all have a text of their own."""
    return tuple(400 + (sum(prompt) * 31 + at * 17) % 600 for at in range(length))


def events(server: Server, body: dict[str, Any]) -> Iterator[Any]:
    """The messages of a stream. Raises RefusedError before the first."""
    answer, dialect = server.answer(body), server.dialect
    told = _Teller(server, body)
    if dialect.get("opening"):
        yield told.chunk("", (), None)
    usage = _usage_of(server, answer)
    together = 1 if dialect.get("one_a_chunk") else server.settings["together"]
    groups = list(_groups(answer, dialect, together))
    sent = ""
    pending: tuple[int, ...] = ()
    lost = dialect.get("last_has_no_text") and not answer.mark
    for number, group in enumerate(groups):
        is_last = number == len(groups) - 1
        done = sum(groups[: number + 1], ())
        words = server.text([each for each in done if each not in answer.mark])
        words = words if is_last or not words.endswith("\ufffd") else sent
        delta, sent = words[len(sent) :], words
        if dialect["mark"] == "text" and answer.mark and is_last:
            delta += server.text(answer.mark)
        if body.get("max_tokens") == BREAKS and number:
            yield BROKEN
            return
        pending += group
        if lost and is_last:
            break
        if dialect.get("skips_empty") and not delta:
            continue
        finish = _finish(dialect, answer) if is_last and dialect["finish_in"] == "last" else None
        yield told.chunk(delta, pending, finish, usage if is_last else None)
        pending = ()
    if dialect["mark"] == "empty" and answer.mark and not dialect.get("skips_empty"):
        yield told.chunk("", (), None)
    if dialect["finish_in"] == "own":
        yield told.chunk("", pending, _finish(dialect, answer))
    if "usage" in dialect and (body.get("stream_options") or {}).get("include_usage"):
        yield filled(
            json.loads(dialect["usage"]),
            {**told.values, **usage, "$FINISH": _finish(dialect, answer)},
        )


def _groups(answer: Answer, dialect: dict[str, Any], together: int) -> Iterator[tuple[int, ...]]:
    tokens = answer.tokens
    if answer.mark and dialect["mark"] in {"ids", "text"}:
        tokens += answer.mark
    for at in range(0, len(tokens), together):
        yield tokens[at : at + together]


def _finish(dialect: dict[str, Any], answer: Answer) -> str:
    reason = "stop" if answer.mark else "length"
    return str(dialect.get("stops", {}).get(reason, reason))


def _usage_of(server: Server, answer: Answer) -> dict[str, Any]:
    tokens = len(answer.tokens) + (len(answer.mark) if server.dialect["counts_mark"] else 0)
    if server.dialect.get("counts_text_again"):
        tokens = len(server.tokenizer.encode(server.text(answer.tokens[:-1])).ids)
    prompt = len(answer.prompt)
    return {"$PROMPT": prompt, "$TOKENS": tokens, "$TOTAL": prompt + tokens}


class _Teller:
    """Makes the chunks of one stream."""

    def __init__(self, server: Server, body: dict[str, Any]) -> None:
        self.server, self.dialect = server, server.dialect
        self.values = {"$MODEL": body.get("model") or server.name}
        if "ids_if" in self.dialect:
            self.has_ids = bool(body.get(self.dialect["ids_if"]))
        else:
            self.has_ids = body.get(self.dialect.get("ids_unless", "")) is False

    def chunk(
        self,
        text: str,
        tokens: Sequence[int],
        finish: str | None,
        usage: dict[str, Any] | None = None,
    ) -> Any:
        no_text = bool(self.dialect.get("ids_unless")) and self.has_ids
        values = {
            **self.values,
            "$TEXT": "" if no_text else text,
            "$IDS": list(tokens) if self.has_ids else None,
            "$PIECES": [self.server.text([each]) for each in tokens],
            "$FINISH": finish or self.dialect.get("no_finish"),
        }
        message = filled(json.loads(self.dialect["chunk"]), values)
        if self.dialect.get("leaves_out_nulls"):
            message["choices"] = [
                {k: v for k, v in each.items() if v is not None} for each in message["choices"]
            ]
        if usage and "usage_in_last" in self.dialect:
            message["usage"] = filled(json.loads(self.dialect["usage_in_last"]), usage)
        return message


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
        sys.exit(subprocess.Popen([sys.executable, *sys.argv], env=below).wait())
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

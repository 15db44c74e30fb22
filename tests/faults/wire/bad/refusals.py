"""Errors in place of an answer or within it, pages, redirects."""

from __future__ import annotations

from tests.faults.wire.bad.spoil import NO_MESSAGE, spoilt
from tests.faults.wire.case import Case
from tests.faults.wire.raw_server import head
from tests.faults.wire.spoken import OPENAI

_PAGE = b"<!doctype html><html><body><h1>500</h1>" + b"<p>Oh no!</p>" * 400


def _refusal(
    status: str, body: bytes, *headers: str, kind: str = "application/json"
) -> list[bytes]:
    return [head(kind, f"Content-Length: {len(body)}", *headers, status=status), body]


def _busy(after: str) -> Case:
    name = {"17": "seconds", "Fri": "date"}.get(after[:3], "overlong")
    shown = after if len(after) < 100 else f"{after[:90]}…"
    return Case(
        name=f"429-{name}",
        what=f"429 with Retry-After ({name})",
        injected="a refusal with a page of 5 kB as its body",
        pieces=lambda _: _refusal("429 Too Many Requests", _PAGE, f"Retry-After: {after}"),
        why=rf"429.*Retry-After: {after[:90]}",
        seen=f"an error: 429 (Retry-After: {shown[:40]})",
    )


REFUSALS = (
    Case(
        name="error-in-the-stream",
        what="200, then an error object in the stream",
        injected="`error` with a message, after two tokens",
        pieces=lambda spoken: spoilt(spoken, b'{"error":{"code":500,"message":"out of memory"}}'),
        why="out of memory",
    ),
    Case(
        name="error-as-a-whole",
        what="200 and an error object as the whole body, no stream",
        injected="application/json with `error`",
        pieces=lambda _: _refusal("200 OK", b'{"error":{"message":"out of memory"}}\n'),
        why="out of memory",
    ),
    Case(
        name="error-object",
        what="200, then an object that is an error",
        injected="`object: error` with a message, as older servers write it",
        pieces=lambda spoken: spoilt(spoken, b'{"object":"error","message":"out of memory"}'),
        dialects=OPENAI,
        why="out of memory",
    ),
    Case(
        name="page",
        what="200 and a page",
        injected="HTML in place of a stream",
        pieces=lambda _: _refusal("200 OK", _PAGE, kind="text/html"),
        why=NO_MESSAGE,
        seen="an error: it answered with what is no stream, and its beginning",
    ),
    _busy("17"),
    _busy("Fri, 31 Dec 2027 23:59:59 GMT"),
    _busy("9" * 9000),
    Case(
        name="500-page",
        what="500 with a page of HTML",
        injected="a page of 5 kB",
        pieces=lambda _: _refusal("500 Internal Server Error", _PAGE, kind="text/html"),
        why=r"500.*<!doctype html>(?!.{400})",
        seen="an error: 500, and the beginning of the page",
    ),
    Case(
        name="500-cut",
        what="500, and the connection closed within its words",
        injected="Content-Length longer than the body",
        pieces=lambda _: [
            head("text/plain", "Content-Length: 99", status="500 No"),
            b"out of memory",
        ],
        why="500.*out of memory",
    ),
    Case(
        name="redirect",
        what="a redirect",
        injected="307 with Location",
        pieces=lambda _: _refusal("307 Moved", b"", "Location: http://127.0.0.1:9/elsewhere"),
        why=r"307.*it sends us on to http://127\.0\.0\.1:9/elsewhere",
        seen="an error that says where to; it is not followed",
    ),
)

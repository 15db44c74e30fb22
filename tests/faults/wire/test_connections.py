"""What lies around an answer: stamps, memory, connections, redirects, lists of models."""

from __future__ import annotations

import json
import resource
from collections.abc import Iterator

import pytest

from python_runner.common.clock import NS_PER_S, now_ns
from python_runner.common.errors import GenerationError
from python_runner.common.progress import SilentProgress
from python_runner.engines.contract import Dialect, Endpoint
from python_runner.engines.outside.said import describe, only_model
from python_runner.engines.outside.target import Outside
from python_runner.engines.served.load_client import LoadClient, LoadShape, Sending
from python_runner.engines.served.streaming import prepare_stream_client
from python_runner.measure.load.finished import finished_of
from tests.faults.fault import fault
from tests.faults.wire.raw_server import Answer, Then, chunked, head, serving
from tests.faults.wire.readers import Readers
from tests.faults.wire.spoken import TEXTS, Spoken

_COMPLETIONS = Spoken(Dialect.OPENAI_COMPLETIONS)
_MODELS = json.dumps({"data": [{"id": "m"}]}).encode()
_MIB = 1 << 20


@pytest.fixture(scope="module")
def readers() -> Readers:
    return Readers(prepare_stream_client(SilentProgress()))


@pytest.mark.parametrize("alone", [True, False])
@fault(
    "empty chunks before the first token",
    injected="a role and an empty chunk, then a pause, then the tokens",
    seen="TTFT is that of the first text",
    kept="all of it",
)
def test_an_empty_chunk_is_no_first_token(readers: Readers, alone: bool) -> None:
    empty = [_COMPLETIONS.event(_COMPLETIONS.token("")), b": ping\n\n"]
    pieces = chunked([*empty, *_COMPLETIONS.whole()])
    read = readers.alone if alone else readers.in_load
    with serving(lambda _: Answer(pieces=pieces, pause_s=0.02)) as server:
        found = read(_COMPLETIONS.dialect, server.url)
        sent = server.sent_ns[3 : 3 + len(TEXTS)]
    for stamp, written in zip(found.chunk_ns, sent, strict=True):
        assert stamp >= written
    assert all(stamp < after for stamp, after in zip(found.chunk_ns, sent[1:], strict=False))


@fault(
    "a byte at a time",
    injected="an answer in pieces of one byte, with the time of each",
    seen="each token has the stamp of the byte that completed it",
    kept="all of it",
)
def test_a_token_is_stamped_when_its_last_byte_comes(readers: Readers) -> None:
    answer = b"".join([head("text/event-stream"), *_COMPLETIONS.whole()])
    completed, place = [], len(head("text/event-stream"))
    for event in _COMPLETIONS.tokens():
        place += len(event)
        completed.append(place - 1)
    pieces = [answer[at : at + 1] for at in range(len(answer))]
    with serving(lambda _: Answer(pieces=pieces, pause_s=0.0005)) as server:
        found = readers.alone(_COMPLETIONS.dialect, server.url)
        sent = server.sent_ns
    assert all(stamp >= sent[byte] for stamp, byte in zip(found.chunk_ns, completed, strict=True))


@pytest.mark.parametrize("alone", [True, False])
@fault(
    "an event of 64 MiB, and memory",
    injected="the same, and the peak of this process's memory is read",
    seen="refused at 8 MiB",
    kept="memory: it grows by less than 48 MiB",
)
def test_a_large_event_does_not_fill_the_memory(readers: Readers, alone: bool) -> None:
    piece = b"x" * _MIB

    def pieces() -> Iterator[bytes]:
        yield head("text/event-stream") + b"data: "
        for _ in range(64):
            yield piece

    read = readers.alone if alone else readers.in_load
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with serving(lambda _: Answer(pieces=pieces(), pause_s=0.0)) as server:
        found = read(_COMPLETIONS.dialect, server.url)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert "larger than 8 MiB" in found.why
    assert grown < 48 * 1024


_LEFT_OVER = (b"data: more\n\n", b"\0\0\0\0", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("rest", _LEFT_OVER[:2])
@fault(
    "bytes after the end of an answer, on a connection that is kept",
    injected="words or NULs behind the last chunk, with it or a little later, twice in three",
    seen="every request of the load is answered; the next one gets a new connection",
    kept="all of it",
)
def test_an_odd_answer_does_not_spoil_the_next(
    readers: Readers, rest: bytes, together: bool
) -> None:
    good = chunked(_COMPLETIONS.whole())
    odd = [*good[:-1], good[-1] + rest] if together else [*good, rest]

    def answer(number: int) -> Answer:
        return Answer(pieces=good if number % 3 == 0 else odd, then=Then.KEEP, pause_s=0.001)

    _load_is_good(readers, answer, requests=9)


@fault(
    "a whole answer too many, on a connection that is kept",
    injected="a second head behind the last chunk, in the same write",
    seen="every request of the load is answered; the next one gets a new connection",
    kept="all of it",
)
def test_an_answer_too_many_is_not_taken_for_the_next(readers: Readers) -> None:
    good = chunked(_COMPLETIONS.whole())
    odd = [*good[:-1], good[-1] + _LEFT_OVER[2]]
    _load_is_good(readers, lambda _: Answer(pieces=odd, then=Then.KEEP), requests=4)


@fault(
    "failed answers on a connection that is kept",
    injected="every second answer has an error object, an event that is no JSON, or 500",
    seen="these fail, the others do not",
    kept="every other answer",
)
def test_a_failure_does_not_spoil_the_next(readers: Readers) -> None:
    good = chunked(_COMPLETIONS.whole())
    first = _COMPLETIONS.tokens()[:1]
    error = chunked([*first, _COMPLETIONS.event(b'{"error":"no"}'), *_COMPLETIONS.whole()])
    broken = chunked([*first, _COMPLETIONS.event(b"{"), *_COMPLETIONS.whole()])
    refusal = [head("text/plain", "Content-Length: 2", status="500 No"), b"no"]
    odd = (error, broken, refusal)

    def answer(number: int) -> Answer:
        pieces = odd[number // 2 % 3] if number % 2 else good
        return Answer(pieces=pieces, then=Then.KEEP, pause_s=0.0)

    kinds = _kinds(readers, answer, requests=8)
    assert kinds == ("", "stream-error", "", "protocol", "", "status", "", "stream-error")


def _kinds(readers: Readers, answer: object, *, requests: int) -> tuple[str, ...]:
    client = LoadClient(readers.folder)
    with serving(answer) as server:  # type: ignore[arg-type]
        endpoint = Endpoint(url=server.url, dialect=_COMPLETIONS.dialect, model="m")
        shape = LoadShape(users=1, requests=requests)
        run = client.start(endpoint, [b"{}"], shape, Sending(timeout_s=20.0, keep_text=True))
        assert run.wait(30.0)
        found = finished_of(run.take())
    texts = [text for text, kind in zip(found.text, found.error_kind, strict=True) if not kind]
    assert texts == ["".join(TEXTS)] * len(texts)
    return found.error_kind


def _load_is_good(readers: Readers, answer: object, *, requests: int) -> None:
    assert _kinds(readers, answer, requests=requests) == ("",) * requests


def _outside(url: str) -> Outside:
    return Outside(url=f"{url}/v1/completions", dialect=Dialect.OPENAI_COMPLETIONS)


def _models(*headers: str, body: bytes = _MODELS, status: str = "200 OK") -> list[bytes]:
    length = f"Content-Length: {len(body)}"
    return [head("application/json", length, *headers, status=status), body]


_DEEP = b"[" * 200_000


@pytest.mark.parametrize(
    ("pieces", "words"),
    [
        pytest.param(_models("Content-Encoding: gzip"), r"packed \(gzip\)", id="gzip"),
        pytest.param(_models(body=b"x" * (5 * _MIB)), "larger than 4 MiB", id="large"),
        pytest.param(_models(body=_DEEP), "does not say which models", id="deep"),
        pytest.param(_models(body=b"\xff"), "does not say which models", id="not-utf-8"),
        pytest.param(
            _models("Location: http://127.0.0.1:9/", body=b"", status="301 Moved"),
            "301.*Location: http://127.0.0.1:9/",
            id="redirect",
        ),
        pytest.param(
            _models("Retry-After: 17", body=b"", status="429 No"), "429.*Retry-After: 17", id="429"
        ),
    ],
)
@fault(
    "an odd list of models",
    injected="packed, 5 MiB, 200,000 arrays within each other, no UTF-8, a redirect, a 429",
    seen="an error that says so; a redirect is not followed",
    kept="nothing was asked for",
)
def test_an_odd_list_of_models_is_an_error(pieces: list[bytes], words: str) -> None:
    from python_runner.common.errors import PolystackError

    with (
        serving(lambda _: Answer(pieces=pieces), "") as server,
        pytest.raises(PolystackError, match=words) as raised,
    ):
        only_model(_outside(server.url))
    assert raised.value.hint


@pytest.mark.parametrize("in_head", [True, False])
@fault(
    "a list of models that drips",
    injected="a byte every 20 ms, of the head or of the body, without end",
    seen="an error after five seconds in all (here: half a second)",
    kept="nothing was asked for",
)
def test_a_list_that_drips_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, in_head: bool
) -> None:
    from python_runner.engines.outside import said

    monkeypatch.setattr(said, "_TIMEOUT_S", 0.5)

    def pieces() -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nX: " if in_head else head("application/json")
        while True:
            yield b" "

    began = now_ns()
    with serving(lambda _: Answer(pieces=pieces(), pause_s=0.02), "") as server:
        with pytest.raises(GenerationError, match=r"no end of its answer after 0\.5 s"):
            only_model(_outside(server.url))
        assert describe(_outside(server.url)).version == "not known"
    assert (now_ns() - began) / NS_PER_S < 5

"""Many requests at once by the native client, held against the server whose truth is known."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import threading
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from python_runner.common.build.extension import import_extension
from python_runner.common.progress import SilentProgress
from python_runner.engines.served.streaming import prepare_stream_client
from python_runner.engines.served.truth import prepare_truth_server, served_requests, truth_server
from tests.contract.processes import wait_until

PATHS = {
    "openai-completions": "/v1/completions",
    "openai-chat": "/v1/chat/completions",
    "ollama-generate": "/api/generate",
    "ollama-chat": "/api/chat",
    "llama-completion": "/completion",
}
LIMIT_S = 30.0


@pytest.fixture(scope="module")
def server_class() -> Any:
    return truth_server(prepare_truth_server(SilentProgress()))


@pytest.fixture(scope="module")
def stream() -> ModuleType:
    return import_extension(prepare_stream_client(SilentProgress()), "polystack_stream")


def body(tokens: int = 5) -> bytes:
    """A request that every dialect understands."""
    return json.dumps(
        {
            "prompt": "one two three",
            "messages": [{"role": "user", "content": "one two three"}],
            "stream": True,
            "stream_options": {"include_usage": True},
            "max_tokens": tokens,
            "n_predict": tokens,
            "options": {"num_predict": tokens},
        }
    ).encode()


def run(stream: ModuleType, url: str, dialect: str = "openai-completions", **options: Any) -> Any:
    """A load to its end, and its record."""
    options = {"users": 1, "requests": 1, "request_id_header": "x-request-id", **options}
    if "arrivals_ns" in options:
        del options["users"], options["requests"]
    bodies = options.pop("bodies", [body()])
    load = stream.LoadRun(url + PATHS[dialect], bodies, dialect=dialect, **options)
    assert load.wait(LIMIT_S)
    return load.take()


def column(values: bytes, kind: str = "<i8") -> npt.NDArray[Any]:
    return np.frombuffer(values, dtype=kind)


def chunks_of(record: Any, index: int) -> slice:
    offsets = column(record.chunk_offsets)
    return slice(int(offsets[index]), int(offsets[index + 1]))


@pytest.mark.parametrize("dialect", PATHS)
def test_every_dialect_is_counted_and_stamped(
    stream: ModuleType, server_class: Any, dialect: str
) -> None:
    server = server_class(ttft="20ms", itl="3ms")
    record = run(stream, server.url, dialect, users=3, requests=9, keep_text=True)

    assert record.error_kind == ("",) * 9, record.error
    assert set(record.stop) == {"length"}
    assert column(record.output_tokens, "<i4").tolist() == [5] * 9
    assert column(record.prompt_tokens, "<i4").tolist() == [3] * 9
    assert set(record.text) == {" river stone light field paper"}
    assert column(record.chunk_tokens, "<i4").tolist() == [1] * 45
    assert all(record.final)
    truth = served_requests(server.truth())
    sent, ended = column(record.sent_ns), column(record.ended_ns)
    for index, number in enumerate(column(record.number)):
        served = truth[str(number)]
        stamps = column(record.chunk_ns)[chunks_of(record, index)]
        assert sent[index] < served.seen_ns < served.written_ns[0]
        assert np.all(served.written_ns < stamps)
        assert stamps[-1] <= ended[index]


def test_who_has_seen_the_end_finds_the_whole_truth(stream: ModuleType, server_class: Any) -> None:
    server = server_class(ttft="0ms", itl="0ms")
    for _ in range(100):
        server.clear()
        run(stream, server.url)
        assert len(server.truth().request_id) == 1


def test_users_take_turns_and_keep_their_connections(stream: ModuleType, server_class: Any) -> None:
    server = server_class(ttft="2ms", itl="1ms")
    record = run(stream, server.url, users=4, requests=20)
    assert sorted(column(record.number)) == list(range(20))
    assert set(column(record.user, "<i4")) == {0, 1, 2, 3}
    assert not column(record.connect_ns).any()
    assert np.array_equal(column(record.scheduled_ns), column(record.sent_ns))


def test_users_start_when_they_are_told(stream: ModuleType, server_class: Any) -> None:
    server = server_class(ttft="200ms", itl="1ms")
    starts = np.array([0, 80_000_000, 40_000_000], dtype="<i8")
    url = server.url + PATHS["openai-completions"]
    load = stream.LoadRun(
        *(url, [body()]),
        dialect="openai-completions",
        users=3,
        requests=3,
        starts_ns=starts.tobytes(),
    )
    assert load.wait(LIMIT_S)
    record = load.take()
    order = np.argsort(column(record.number))
    users = column(record.user, "<i4")[order]
    assert users.tolist() == [0, 2, 1]
    assert np.all(column(record.sent_ns)[order] - load.started_ns >= starts[users])


def test_a_load_that_a_time_ends(stream: ModuleType, server_class: Any) -> None:
    server = server_class(ttft="5ms", itl="1ms")
    record = run(stream, server.url, users=2, requests=None, duration_s=0.2)
    assert set(record.error_kind) == {""}
    # Whether there is time is looked at before a request: the last of each user may be late.
    sent = np.sort(column(record.sent_ns))
    assert np.all(sent[:-2] - sent[0] <= 200_000_000)


def test_an_open_loop_sends_when_it_is_due_whatever_the_server_does(
    stream: ModuleType, server_class: Any
) -> None:
    server = server_class(ttft="150ms", itl="1ms", slots=1)
    arrivals = np.arange(8, dtype="<i8") * 5_000_000
    record = run(stream, server.url, arrivals_ns=arrivals.tobytes(), connections=2)
    order = np.argsort(column(record.number))
    scheduled, sent = column(record.scheduled_ns)[order], column(record.sent_ns)[order]
    assert np.array_equal(np.diff(scheduled), np.full(7, 5_000_000))
    assert np.all(sent >= scheduled)
    # The first two had connections that stood; the others had to open theirs.
    assert np.count_nonzero(column(record.connect_ns)) >= 4
    # One slot: each answer waits for those before it, which shows from the scheduled time.
    offsets = column(record.chunk_offsets)
    first = column(record.chunk_ns)[offsets[:-1]][order] - scheduled
    assert np.all(np.diff(first) > 0)


def test_chunks_of_one_read_are_marked(stream: ModuleType, server_class: Any) -> None:
    server = server_class(ttft="5ms", itl="10ms", chunks_per_write=5)
    record = run(stream, server.url, bodies=[body(20)])
    reads, stamps = column(record.chunk_reads, "<i4"), column(record.chunk_ns)
    assert len(reads) == 20
    same_read = np.diff(reads) == 0
    # Sixteen, and more where a busy machine let the client read two writes at once.
    assert 16 <= np.count_nonzero(same_read) < 19
    assert np.array_equal(same_read, np.diff(stamps) == 0)


def test_a_chunk_of_several_tokens_is_no_token(stream: ModuleType, server_class: Any) -> None:
    server = server_class(ttft="5ms", itl="2ms", tokens_per_chunk=4)
    record = run(stream, server.url, bodies=[body(20)])
    assert column(record.output_tokens, "<i4").tolist() == [20]
    # OpenAI's protocol does not say how many a chunk holds; llama.cpp's does.
    assert column(record.chunk_tokens, "<i4").tolist() == [0] * 5
    told = run(stream, server.url, "llama-completion", bodies=[body(20)])
    assert column(told.chunk_tokens, "<i4").tolist() == [4] * 5


def test_a_role_alone_is_not_the_first_token(stream: ModuleType, server_class: Any) -> None:
    server = server_class(ttft="500ms", itl="1ms", fault="role-only-twice")
    record = run(stream, server.url, "openai-chat")
    served = served_requests(server.truth())["0"]
    assert column(record.chunk_ns)[0] > served.written_ns[0]
    assert len(column(record.chunk_ns)) == 5
    assert column(record.headers_ns)[0] < served.written_ns[0]


@dataclass(frozen=True)
class Bad:
    """A way to answer badly, and what the client is to make of it."""

    fault: str
    kind: str
    words: str


BAD_ANSWERS = [
    Bad(*bad)
    for bad in (
        ("status-401", "status", "status 401: .*refused"),
        ("status-404", "status", "status 404"),
        ("status-429", "status", r"status 429.*\(Retry-After: 2\)"),
        ("status-500", "status", "status 500"),
        ("html", "not-a-stream", "text/html.*doctype"),
        ("json", "not-a-stream", "application/json"),
        ("empty-stream", "empty", "no content"),
        ("no-done", "no-end", "without a mark"),
        ("close-early", "closed", "within its answer"),
        ("error-event", "stream-error", "ran out of memory"),
    )
]


@pytest.mark.parametrize("bad", BAD_ANSWERS, ids=lambda bad: bad.fault)
@pytest.mark.parametrize("dialect", PATHS)
def test_bad_answers_are_told_apart(
    stream: ModuleType, server_class: Any, dialect: str, bad: Bad
) -> None:
    server = server_class(ttft="2ms", itl="1ms", fault=bad.fault)
    record = run(stream, server.url, dialect)
    words = bad.words
    if bad.fault in {"html", "json"} and dialect.startswith("ollama"):
        words = "no stream"  # each line is taken for a message, before the end is seen
    assert record.error_kind == (bad.kind,), record.error
    assert re.search(words, record.error[0], re.DOTALL), record.error


def test_one_bad_answer_does_not_cost_the_others(stream: ModuleType, server_class: Any) -> None:
    server = server_class(ttft="2ms", itl="1ms", fault="close-early", fault_every=3)
    record = run(stream, server.url, users=2, requests=9)
    by_number = dict(zip(column(record.number).tolist(), record.error_kind, strict=True))
    assert len(by_number) == 9
    assert list(by_number.values()).count("closed") == 3


def test_counts_without_usage(stream: ModuleType, server_class: Any) -> None:
    server = server_class(ttft="2ms", itl="1ms", fault="no-usage")
    record = run(stream, server.url)
    assert record.error_kind == ("",)
    assert column(record.output_tokens, "<i4").tolist() == [-1]
    assert column(record.chunk_tokens, "<i4").tolist() == [0] * 5


def test_an_answer_that_takes_too_long(stream: ModuleType, server_class: Any) -> None:
    server = server_class(ttft="1ms", itl="20s")
    record = run(stream, server.url, timeout_s=1.5)
    assert record.error_kind == ("timeout",)
    assert "no end of the answer after 1.5 s (1 chunks so far)" in record.error[0]


def test_what_is_under_way_when_a_load_is_ended_is_kept(
    stream: ModuleType, server_class: Any
) -> None:
    server = server_class(ttft="1ms", itl="20s")
    load = stream.LoadRun(
        server.url + "/v1/completions",
        [body()],
        dialect="openai-completions",
        users=3,
        requests=9,
    )
    wait_until(lambda: load.snapshot().in_flight == 3, "all users have asked")
    load.cancel()
    assert load.wait(LIMIT_S)
    assert load.take().error_kind == ("cancelled",) * 3


def test_finished_requests_are_handed_out_once(stream: ModuleType, server_class: Any) -> None:
    server = server_class(ttft="1ms", itl="1ms")
    load = stream.LoadRun(
        server.url + "/v1/completions", [body()], dialect="openai-completions", users=2, requests=8
    )
    numbers: list[int] = []
    while not load.wait(0.005):
        numbers += column(load.take().number).tolist()
    numbers += column(load.take().number).tolist()
    assert sorted(numbers) == list(range(8))
    assert load.snapshot().finished == 8
    assert load.ended_ns > load.started_ns
    assert load.cpu_ns > 0


def test_nobody_there(stream: ModuleType) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(stream.ConnectError, match="cannot connect"):
        run(stream, f"http://127.0.0.1:{port}")


def test_a_name_that_nobody_knows(stream: ModuleType) -> None:
    with pytest.raises(stream.ConnectError, match="name"):
        run(stream, "http://no-such-host.invalid", connect_timeout_s=3.0)


def test_a_server_that_dies_in_mid_load(stream: ModuleType, server_class: Any) -> None:
    server = server_class(ttft="1ms", itl="20s")
    load = stream.LoadRun(
        server.url + "/v1/completions", [body()], dialect="openai-completions", users=2, requests=4
    )
    wait_until(lambda: load.snapshot().in_flight == 2, "both users have asked")
    server.stop()
    assert load.wait(LIMIT_S)
    kinds = load.take().error_kind
    assert kinds[:2] == ("closed", "closed")
    assert set(kinds[2:]) == {"connect"}


@pytest.mark.parametrize("users", [50_000_000, 10**13])
def test_more_connections_than_the_system_allows(
    stream: ModuleType, server_class: Any, users: int
) -> None:
    server = server_class()
    with pytest.raises(stream.LimitError, match=r"raise the limit with `ulimit -n"):
        run(stream, server.url, users=users, requests=1)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"users": 0}, "at least one user"),
        ({"requests": 0}, "no requests"),
        ({"requests": None}, "nothing says when"),
        ({"dialect": "latin"}, "none of openai-completions"),
        ({"bodies": []}, "no body"),
        ({"arrivals_ns": b"123"}, "64-bit"),
        ({"arrivals_ns": b""}, "no requests"),
        ({"starts_ns": bytes(16)}, "2 of them for 1"),
        ({"timeout_s": 1e19}, "no time to wait"),
    ],
)
def test_arguments_that_make_no_sense(
    stream: ModuleType, server_class: Any, options: dict[str, Any], words: str
) -> None:
    server = server_class()
    given = {"users": 1, "requests": 1, "dialect": "openai-completions", **options}
    if "arrivals_ns" in options:
        del given["users"], given["requests"]
    bodies = given.pop("bodies", [body()])
    with pytest.raises(ValueError, match=words):
        stream.LoadRun(server.url + "/v1/completions", bodies, **given)


def test_a_server_that_closes_with_its_last_bytes_gets_new_connections(stream: ModuleType) -> None:
    """As llama-server does: a request sent on the closed connection would wait for ever."""
    listener = socket.create_server(("127.0.0.1", 0))
    event = b'data: {"choices": [{"text": "a", "finish_reason": "length"}]}\n\ndata: [DONE]\n\n'
    answer = (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"%x\r\n%s\r\n0\r\n\r\n" % (len(event), event)
    )
    requests, held = 20, []

    def serve() -> None:
        for _ in range(requests + 1):  # one more to see whether it can be reached
            connection, _ = listener.accept()
            held.append(connection)  # not closed whole: no reset tells the client
            if connection.recv(1 << 16):
                connection.sendall(answer)
                with contextlib.suppress(OSError):  # the client may have closed before us
                    connection.shutdown(socket.SHUT_RDWR)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    record = run(stream, url, users=1, requests=requests)
    assert set(record.error_kind) == {""}
    for connection in (*held, listener):
        connection.close()
    thread.join()


def test_live_figures_are_nanoseconds(stream: ModuleType, server_class: Any) -> None:
    server = server_class(ttft="30ms", itl="10ms")
    load = stream.LoadRun(
        server.url + PATHS["openai-completions"],
        [body()],
        dialect="openai-completions",
        users=1,
        requests=2,
    )
    assert load.wait(LIMIT_S)
    snapshot = load.snapshot()
    assert snapshot.ttft_ns[0] > 25_000_000
    assert snapshot.itl_ns[0] > 5_000_000

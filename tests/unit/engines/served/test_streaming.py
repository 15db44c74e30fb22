"""What the native client gives becomes ours, or an error."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from python_runner.common.errors import GenerationError
from python_runner.engines.served.streaming import stream_of


def record(**changes: object) -> Any:
    values = {
        "status": 200,
        "connected_ns": 1,
        "requested_ns": 2,
        "headers_ns": 3,
        "events": (b"a", b"b"),
        "event_ns": (4, 5),
        "read_index": (2, 3),
        "ended_ns": 6,
        "error_body": b"",
        "location": "",
        "retry_after": "",
    }
    return SimpleNamespace(**{**values, **changes})


def test_a_record_is_taken_over() -> None:
    stream = stream_of(record(), "http://x")
    assert stream.requested_ns == 2
    assert stream.events == (b"a", b"b")
    assert stream.event_ns == (4, 5)
    assert stream.read_index == (2, 3)
    assert stream.ended_ns == 6


@pytest.mark.parametrize(
    ("body", "reason"),
    [(b'{"error":"no"}\n', "no\n"), (b"", "no reason"), (b"\xff", "�")],
)
def test_a_status_that_is_no_success_is_an_error(body: bytes, reason: str) -> None:
    with pytest.raises(GenerationError, match=f"http://x answered 404: .*{reason}"):
        stream_of(record(status=404, error_body=body), "http://x")


def test_where_a_server_sends_us_and_when_is_told() -> None:
    moved = record(status=307, location="http://y", retry_after="17")
    with pytest.raises(
        GenerationError, match=r"\(it sends us on to http://y\) \(Retry-After: 17\)"
    ):
        stream_of(moved, "http://x")


def test_a_page_in_place_of_a_stream_is_told_by_its_beginning() -> None:
    page = record(events=(), event_ns=(), read_index=(), error_body=b"<html> " * 500)
    with pytest.raises(GenerationError, match="what is no stream: <html>") as raised:
        stream_of(page, "http://x")
    assert len(raised.value.message) < 400

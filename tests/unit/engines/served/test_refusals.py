"""What to do next, by what is known of an answer that is none."""

from __future__ import annotations

import pytest

from python_runner.engines.served.refusals import hint_of, refusal


@pytest.mark.parametrize(
    ("kind", "status", "words", "said"),
    [
        ("status", 401, "status 401: x", "--api-key-env"),
        ("status", 404, "status 404: x", "--model"),
        ("status", 429, "status 429: x", "wait"),
        ("status", 503, "status 503: x", "scales to zero"),
        ("status", 307, "status 307: x", "sends us on"),
        ("status", 418, "status 418: x", "log may say why"),
        ("status", 400, "The plain HTTP request was sent to HTTPS port", "https://"),
        ("tls", 0, "invalid peer certificate: UnknownIssuer", "--ca-file"),
        ("connect", 0, "invalid peer certificate: UnknownIssuer", "--ca-file"),
        ("connect", 0, "invalid peer certificate: NotValidForName", "right host"),
        ("connect", 0, "received corrupt message of type InvalidContentType", "http://"),
        ("protocol", 0, 'not HTTP; it begins "\\u{15}\\u{3}\\u{3}"', "https://"),
        ("connect", 0, "the name is not known: x", "host's name"),
        ("connect", 0, "connection timed out", "firewall"),
        ("connect", 0, "Connection refused", "Is the server up"),
        ("not-a-stream", 200, "x", "for language models"),
        ("wrong-count", 200, "x", "cannot be believed"),
        ("timeout", 0, "no end of the answer after 1 s", "Allow more time"),
    ],
)
def test_every_kind_has_its_hint(kind: str, status: int, words: str, said: str) -> None:
    assert said in hint_of(kind, status, words)


def test_an_error_without_words_has_its_kind_and_no_query() -> None:
    found = refusal("https://h/v1?key=9", "closed", 0, "")
    assert found.message == "https://h/v1: closed"

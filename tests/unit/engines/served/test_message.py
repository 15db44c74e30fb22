"""Events of servers are read strictly."""

from __future__ import annotations

import pytest

from python_runner.common.errors import GenerationError
from python_runner.engines.served.message import (
    LLAMA,
    OLLAMA,
    OPENAI,
    MessageError,
    error_in,
    figure_in,
    is_blank,
    message_in,
    parse,
    said_by,
)


def test_a_message_is_taken_as_it_is() -> None:
    event = '{"id":"c","choices":[{"text":"größe","finish_reason":null}],"more":[1e400,NaN]}'
    assert message_in(event.replace(",NaN", "").encode(), OPENAI)["choices"][0]["text"] == "größe"
    assert message_in(b'{"response":null,"done":false}', OLLAMA) == {
        "response": None,
        "done": False,
    }


@pytest.mark.parametrize(
    ("event", "why"),
    [
        (b"", "no JSON"),
        (b"[1]", "no message"),
        (b"3", "no message"),
        (b'{"x":"\xff"}', "no JSON"),
        (b"\xef\xbb\xbf{}", "no JSON"),
        ('{"x":1}'.encode("utf-16"), "no JSON"),
        (b'{"x":NaN}', "NaN"),
        (b'{"x":' + b"[" * 500 + b"]" * 500 + b"}", "deeper than 100"),
        (b"[" * 1_000_000, "deeper than 100"),
        (b'{"usage":{"prompt_tokens":1},"usage":{}}', "'usage' twice"),
        (b'{"choices":{}}', "as choices"),
        (b'{"choices":["x"]}', "as choices"),
        (b'{"choices":[{"text":5}]}', "5 as choices.text"),
        (b'{"choices":[{"text":"\\ud83d"}]}', "as choices.text"),
        (b'{"choices":[{"delta":{"content":[]}}]}', "as choices.delta.content"),
        (b'{"choices":[{"finish_reason":{}}]}', "as choices.finish_reason"),
        (b'{"usage":5}', "5 as usage"),
        (b'{"usage":{"completion_tokens":true}}', "True as usage.completion_tokens"),
        (b'{"usage":{"completion_tokens":-1}}', "-1 as usage.completion_tokens"),
        (b'{"usage":{"completion_tokens":1.0}}', "1.0 as usage.completion_tokens"),
        (b'{"usage":{"completion_tokens":2147483648}}', "2147483648 as usage"),
        (b'{"usage":{"completion_tokens":' + b"9" * 9000 + b"}}", "inf as usage"),
    ],
)
def test_what_is_no_message_is_refused(event: bytes, why: str) -> None:
    with pytest.raises(MessageError, match=why) as raised:
        message_in(event, OPENAI)
    assert len(str(raised.value)) < 200


def test_brackets_in_a_text_are_no_nesting() -> None:
    event = b'{"content":"' + b"[" * 500 + b'\\"","stop":false}'
    assert message_in(event, LLAMA)["stop"] is False


def test_a_name_that_nobody_reads_may_stand_twice() -> None:
    assert message_in(b'{"x":1,"x":2,"id":3}', OPENAI) == {"x": 2, "id": 3}


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ({"error": {"message": "no"}}, "no"),
        ({"error": "no"}, "no"),
        ({"error": {"code": 5}}, '{"code": 5}'),
        ({"error": 5}, "5"),
        ({"error": "\ud83d\x1b[2J"}, "��[2J"),
        ({"object": "error", "message": "no"}, "no"),
        ({"error": None}, None),
        ({"error": ""}, None),
        ({"error": {}}, None),
        ({"error": False}, None),
        ({"object": "text_completion"}, None),
    ],
)
def test_the_error_of_a_message(message: dict[str, object], error: str | None) -> None:
    assert error_in(message) == error


@pytest.mark.parametrize("value", [True, "3", [], float("inf")])
def test_a_figure_is_a_number(value: object) -> None:
    with pytest.raises(MessageError, match="as ms"):
        figure_in({"ms": value}, "ms")
    assert figure_in({"ms": 3}, "ms") == 3.0
    assert figure_in({"ms": None}, "ms") is None


def test_signs_of_life_are_blank() -> None:
    assert is_blank(b" \r\n")
    assert not is_blank(b"0")


def test_the_server_is_named_in_the_error() -> None:
    with (
        pytest.raises(GenerationError, match="the server sent what is no JSON") as raised,
        said_by("the server"),
    ):
        parse("{")
    assert raised.value.hint

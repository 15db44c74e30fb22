"""The reason is found in the bodies that servers answer errors with."""

from __future__ import annotations

import json

import pytest

from python_runner.engines.served.error_body import reason_in


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"error": {"message": "too long", "code": 400}}, "too long"),
        ({"object": "error", "message": "too long", "param": None}, "too long"),
        ({"error": "too long", "error_type": "validation"}, "too long"),
        ({"detail": [{"loc": ["body", "prompt"], "msg": "missing"}]}, "body.prompt: missing"),
        ({"detail": "Not Found"}, "Not Found"),
        (json.dumps({"message": "too long"}), "too long"),
    ],
)
def test_the_sentence_is_found(body: object, reason: str) -> None:
    assert reason_in(json.dumps(body)) == reason


@pytest.mark.parametrize("body", ["", "plain words", '{"code": 5}', "[1, 2]", "{broken"])
def test_what_has_none_is_shown_as_it_is(body: str) -> None:
    assert reason_in(f" {body}\n") == body

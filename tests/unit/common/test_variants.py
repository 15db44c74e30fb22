"""Names of variants: one grammar, one name for each."""

from __future__ import annotations

import pytest

from python_runner.common.errors import UsageError
from python_runner.common.variants import StackName, knobs_of, parse_stack


def test_a_plain_name_has_no_knobs() -> None:
    assert parse_stack("llama.cpp") == StackName(base="llama.cpp")
    assert str(parse_stack("mistral.rs-wheel")) == "mistral.rs-wheel"


def test_knobs_stand_after_the_name() -> None:
    found = parse_stack("ollama@gogc=off+threads=1")
    assert found.base == "ollama"
    assert found.knobs == {"gogc": "off", "threads": "1"}


def test_a_variant_has_one_name_in_whatever_order() -> None:
    names = {str(parse_stack(f"x@{knobs}")) for knobs in ("a=1+b=2", "b=2+a=1")}
    assert names == {"x@a=1+b=2"}


def test_knobs_come_on_top_of_knobs() -> None:
    assert str(parse_stack("x@b=2").turned({"a": "1"})) == "x@a=1+b=2"
    assert str(parse_stack("x").turned({})) == "x"


@pytest.mark.parametrize(
    "name",
    ["x@", "@a=1", "x@a", "x@a=", "x@=1", "x@a=1+", "x@a=1+a=2", "x@a=../1", "x@A=1", "x@a=1,b=2"],
)
def test_what_is_no_variant_is_refused(name: str) -> None:
    with pytest.raises(UsageError):
        parse_stack(name)
    assert knobs_of(name) == {}


def test_a_comma_between_knobs_is_explained() -> None:
    """`--stacks x@a=1,b=2` names the stacks `x@a=1` and `b=2`."""
    with pytest.raises(UsageError, match="knob of one") as raised:
        parse_stack("b=2")
    assert "+" in raised.value.hint


def test_the_knobs_of_a_name() -> None:
    assert knobs_of("x@a=1") == {"a": "1"}
    assert knobs_of("http://127.0.0.1:80/v1?a=b") == {}

"""A study's stacks compute on its device, or it is refused."""

from __future__ import annotations

import pytest

from python_runner.common.errors import UsageError
from python_runner.engines.table import engine
from python_runner.run.devices import check_devices


def test_stacks_that_compute_there() -> None:
    check_devices("cpu", {"llama.cpp": engine("llama.cpp")})
    check_devices("cuda", {"vllm": engine("vllm")})


@pytest.mark.parametrize(
    ("name", "device", "other"), [("vllm", "cpu", "cuda"), ("ollama", "cuda", "cpu")]
)
def test_one_that_does_not_is_named(name: str, device: str, other: str) -> None:
    with pytest.raises(UsageError, match=f"{name} does not compute on {device}") as raised:
        check_devices(device, {name: engine(name)})
    assert f"--device {other}" in raised.value.hint

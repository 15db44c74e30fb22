"""How chunks of the mistral.rs wheel become an answer; no model is loaded."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError
from pathlib import Path
from types import SimpleNamespace as Bag
from typing import Any

import pytest

from python_runner.common.errors import EngineStartError, SetupError
from python_runner.common.progress import SilentProgress
from python_runner.engines.contract import StopReason
from python_runner.engines.mistralrs import wheel as mistralrs_wheel
from python_runner.engines.mistralrs.wheel import _compiler, _Record
from tests.unit.engines.helpers import settings_for


def chunk(
    text: str | None, token: int | None, *, finish: str | None = None, counted: int = 0
) -> Any:
    logprobs = None if token is None else Bag(top_logprobs=[Bag(token=token)])
    choice = Bag(delta=Bag(content=text), logprobs=logprobs, finish_reason=finish)
    return Bag(choices=[choice], usage=Bag(completion_tokens=counted) if finish else None)


def record_of(*chunks: Any) -> _Record:
    record = _Record()
    for number, each in enumerate(chunks):
        record.add(each, 100 + number)
    return record


def test_one_chunk_for_each_token() -> None:
    record = record_of(chunk("a", 7), chunk("", 8), chunk("b", 9, finish="length", counted=3))
    assert record.token_ids() == (7, 8, 9)
    assert record.times_ns == [100, 101, 102]
    assert record.output_tokens == 3
    assert record.stop is StopReason.LENGTH


def test_ids_are_not_known_if_a_token_had_no_chunk() -> None:
    record = record_of(chunk("a", 7), chunk("b", 9, finish="length", counted=3))
    assert record.token_ids() is None
    assert record.output_tokens == 3


def test_ids_are_not_known_if_a_chunk_had_no_id() -> None:
    record = record_of(chunk("a", 7), chunk("", None, finish="length", counted=2))
    assert record.token_ids() is None
    assert len(record.times_ns) == 2, "the token did appear then"


def test_the_mark_that_ends_an_answer_is_no_part_of_it() -> None:
    record = record_of(chunk("a", 7), chunk("", None, finish="stop", counted=2))
    assert record.stop is StopReason.END_OF_SEQUENCE
    assert record.output_tokens == 1
    assert record.token_ids() == (7,)
    assert record.times_ns == [100]


def test_an_answer_can_end_before_it_begins() -> None:
    record = record_of(chunk("", None, finish="stop", counted=1))
    assert record.output_tokens == 0
    assert record.token_ids() == ()


def test_a_folder_without_a_model_is_not_looked_up_elsewhere(tmp_path: Path) -> None:
    with pytest.raises(EngineStartError, match=r"config\.json"):
        mistralrs_wheel.load(settings_for(tmp_path))


def test_a_missing_wheel_is_a_setup_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(mistralrs_wheel, "version", absent)
    with pytest.raises(SetupError, match="mistralrs"):
        mistralrs_wheel.prepare(SilentProgress())


def test_the_compiler_is_read_from_the_library(tmp_path: Path) -> None:
    (tmp_path / "a.so").write_bytes(b"code\0rustc version 1.2.3 (abc)\0Linker")
    assert _compiler(tmp_path) == "rustc version 1.2.3 (abc)"
    (tmp_path / "a.so").write_bytes(b"code")
    assert _compiler(tmp_path) == "not known"

"""The mock does what its script says, to the nanosecond."""

from __future__ import annotations

from pathlib import Path

import pytest

from python_runner.common.errors import EngineCrashError, EngineStartError, GenerationError
from python_runner.engines.contract import Language, Reach, StopReason
from python_runner.engines.mock import MockEngine, MockModel, MockScript, mock_spec
from tests.unit.engines.helpers import request_for, settings_for


def start(tmp_path: Path, script: MockScript, *, can_ignore: bool = True) -> MockModel:
    spec = mock_spec("paper", Language.NONE, Reach.EMBEDDED, can_ignore_end_of_sequence=can_ignore)
    return MockEngine(spec, script).start(settings_for(tmp_path), tmp_path / "log")


def test_stamps_follow_the_script(tmp_path: Path) -> None:
    script = MockScript(ttft_ns=100, itl_ns=10, offsets_ns=(0, 5), idle_ns=1, begin_ns=1000)
    with start(tmp_path, script) as running:
        first, second, third = (running.generate(request_for(2, new_tokens=3)) for _ in range(3))
    assert (first.requested_ns, first.chunk_ns, first.ended_ns) == (1000, (1100, 1110, 1120), 1120)
    assert (second.requested_ns, second.chunk_ns) == (1121, (1226, 1236, 1246))
    assert (third.requested_ns, third.chunk_ns[0]) == (1247, 1347), "the offsets begin again"


def test_every_start_begins_anew(tmp_path: Path) -> None:
    answers = []
    for _ in range(2):
        with start(tmp_path, MockScript()) as running:
            answers.append(running.generate(request_for(2, 3)))
    assert answers[0] == answers[1]


def test_the_answer_depends_on_the_prompt_alone(tmp_path: Path) -> None:
    with start(tmp_path, MockScript(ttft_ns=7)) as one, start(tmp_path, MockScript()) as other:
        assert one.generate(request_for(2, 3)).text == other.generate(request_for(2, 3)).text
        assert one.generate(request_for(2, 3)).text != other.generate(request_for(2, 4)).text


def test_a_start_can_fail(tmp_path: Path) -> None:
    with pytest.raises(EngineStartError):
        start(tmp_path, MockScript(crash_at_start=True))


def test_a_request_can_fail_and_the_next_succeed(tmp_path: Path) -> None:
    running = start(tmp_path, MockScript(fail_at=frozenset({1})))
    with pytest.raises(GenerationError):
        running.generate(request_for(2))
    assert running.generate(request_for(2)).output_tokens == 4


def test_after_a_crash_nothing_answers(tmp_path: Path) -> None:
    running = start(tmp_path, MockScript(crash_at=2))
    running.generate(request_for(2))
    for _ in range(2):
        with pytest.raises(EngineCrashError, match="SIGILL"):
            running.generate(request_for(2))


def test_a_stopped_mock_answers_no_more(tmp_path: Path) -> None:
    running = start(tmp_path, MockScript())
    running.stop()
    running.stop()
    with pytest.raises(EngineCrashError):
        running.generate(request_for(2))


def test_an_early_end_is_marked_by_who_cannot_ignore_it(tmp_path: Path) -> None:
    script = MockScript(end_of_sequence_after=2)
    short = start(tmp_path, script, can_ignore=False).generate(request_for(2))
    assert (short.output_tokens, short.stop) == (2, StopReason.END_OF_SEQUENCE)
    assert len(short.chunk_ns) == 2
    whole = start(tmp_path, script).generate(request_for(2))
    assert (whole.output_tokens, whole.stop) == (4, StopReason.LENGTH)
    asked = start(tmp_path, script).generate(request_for(2, ignore_end_of_sequence=False))
    assert asked.output_tokens == 2


def test_counts_can_be_wrong(tmp_path: Path) -> None:
    script = MockScript(extra_tokens=3, extra_prompt_tokens=1)
    answer = start(tmp_path, script).generate(request_for(2, 3))
    assert (answer.output_tokens, answer.prompt_tokens) == (7, 3)

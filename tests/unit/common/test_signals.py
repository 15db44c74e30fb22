"""Signals that wait until something is done whole."""

from __future__ import annotations

import signal
import threading
from types import FrameType

import pytest

from python_runner.common.signals import endings_held


def test_ctrl_c_waits_until_the_block_is_over() -> None:
    done: list[str] = []

    def held() -> None:
        with endings_held():
            signal.raise_signal(signal.SIGINT)
            done.append("all of it")

    with pytest.raises(KeyboardInterrupt):
        held()
    assert done == ["all of it"]


def test_each_does_what_it_would_have_done_and_once() -> None:
    seen: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        seen.append(number)

    before = signal.signal(signal.SIGTERM, note)
    try:
        with endings_held():
            signal.raise_signal(signal.SIGTERM)
            signal.raise_signal(signal.SIGTERM)
            assert seen == []
        assert seen == [signal.SIGTERM]
        assert signal.getsignal(signal.SIGTERM) is note
    finally:
        signal.signal(signal.SIGTERM, before)


def test_an_error_of_the_block_goes_up_and_handlers_are_back() -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(ValueError, match="mine"), endings_held():
        raise ValueError("mine")
    assert signal.getsignal(signal.SIGINT) is before


def test_another_thread_holds_nothing() -> None:
    ended: list[bool] = []

    def work() -> None:
        with endings_held():
            ended.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert ended == [True]

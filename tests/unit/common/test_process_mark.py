"""Whether a process that was seen before still runs."""

import os
from dataclasses import replace

from python_runner.common.process_mark import Life, ProcessMark


def test_this_process_runs() -> None:
    mark = ProcessMark.of_this_process()
    assert mark.pid == os.getpid()
    assert ProcessMark.from_json(mark.to_json()) == mark
    assert mark.life() is Life.RUNS


def test_a_number_that_was_given_away_again_is_another_process() -> None:
    mark = ProcessMark.of_this_process()
    assert replace(mark, started=mark.started - 1).life() is Life.GONE


def test_nothing_lives_through_a_restart_of_the_machine() -> None:
    assert replace(ProcessMark.of_this_process(), boot="another").life() is Life.GONE


def test_what_another_container_runs_is_not_known() -> None:
    mark = ProcessMark.of_this_process()
    assert replace(mark, space="another").life() is Life.UNKNOWN
    assert replace(mark, pid=2**30).life() is Life.GONE

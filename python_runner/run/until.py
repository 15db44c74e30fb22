"""Goes on with further blocks until every interval is narrow, or a limit is reached."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from python_runner.analyse.compare import Look, Next, look, pairs_of_run
from python_runner.engines.contract import Engine
from python_runner.measure import Block, make_blocks
from python_runner.run.preparation import rounds_of
from python_runner.run.tour import Tour
from python_runner.store import RunRecorder, read_frames
from python_runner.study import Study


def go_on_until_narrow(
    study: Study,
    tour: Tour,
    engines: Mapping[str, Engine],
) -> None:
    """Look at the intervals after each `study.iterations` iterations, and go on or not.

    Whether to go on depends on the intervals' width and on the limits, never on who is ahead.
    Stacks that have ended are not waited for. Does nothing if the study does not ask for it.

    Args:
        study: has target and limits.
        tour: has visited `engines` for the first `study.iterations` iterations.
        engines: those that were visited.
    """
    if study.target is None:
        return
    recorder, progress = tour.tools.recorder, tour.tools.progress
    looks: list[int] = []
    for number, blocks in enumerate(rounds_of(study)):
        if number:
            tour.visit(_renumbered(blocks, tour), engines)
        looks.append(sum(block.count for block in blocks) + (looks[-1] if looks else 0))
        if tour.number_of(looks[-1] + 1) is not None:
            continue  # it was looked at, and found too wide, before the run was interrupted
        recorder.looked(looks, limit=study.most_iterations)
        found = _look(study, recorder, looks[-1], tour.ended)
        left = len(engines.keys() - tour.ended.keys())
        if found.decision is not Next.GO_ON or left < 2:
            progress.say(_ending(found, study, looks[-1], left))
            return
        if not _has_time(study, tour, engines):
            progress.say(
                f"{_width(found)} Another {study.iterations} would last longer than "
                f"{study.max_time}."
            )
            return
        progress.say(f"{_width(found)} On until ±{study.until_ci}.")


def _renumbered(blocks: tuple[Block, ...], tour: Tour) -> tuple[Block, ...]:
    """A stack that was built late may have had a block of its own in between."""
    count, first = sum(block.count for block in blocks), blocks[0].first
    known = tour.number_of(first)
    number = tour.last_block + 1 if known is None else known
    return make_blocks(count, len(blocks), first_number=number, first_iteration=first)


def _look(study: Study, recorder: RunRecorder, done: int, ended: Collection[str]) -> Look:
    frames = read_frames(recorder.store, [recorder.run_id])
    pairs = pairs_of_run(frames.samples, frames.conditions, frames.runs)
    is_alive = ~(pairs["stack_left"].isin(ended) | pairs["stack_right"].isin(ended))
    assert study.target is not None
    return look(pairs[is_alive], target=study.target, iterations=done, limit=study.most_iterations)


def _has_time(study: Study, tour: Tour, engines: Mapping[str, Engine]) -> bool:
    if study.most_seconds is None:
        return True
    return tour.spent_s + tour.expected_s(engines, study.visits) <= study.most_seconds


def _ending(found: Look, study: Study, done: int, left: int) -> str:
    if left < 2:
        return "There are no two stacks left to compare."
    if found.decision is Next.NARROW:
        return f"After {done} iterations all intervals are within ±{study.until_ci}."
    return f"{_width(found)} The limit of {done} iterations is reached."


def _width(found: Look) -> str:
    return f"The widest interval of a ratio is ±{found.widest:.1%}."

"""Refuses to put together what was measured under different conditions."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

from python_runner import __version__
from python_runner.common.errors import UnfairError
from python_runner.common.host import describe_host
from python_runner.common.machine_mark import machine_mark
from python_runner.engines.contract import LaunchSettings
from python_runner.measure import Plan
from python_runner.measure.fairness import Facts
from python_runner.store.interrupted import StoredRun

_HOST = ("cpu", "cores", "architecture", "os", "python")
_MEMORY_SHARE = 0.02
"""Kernels keep a different part of the memory for themselves after each start."""


def refuse_other_place(stored: StoredRun) -> None:
    """Raise UnfairError if the run began on another machine, or with another polystack."""
    _refuse("polystack", stored.program_version, __version__, "Run it with the one it began with.")
    now, machine = describe_host(), machine_mark()
    hint = "A run is measured on one machine from its beginning to its end. Begin a new one."
    for key in _HOST:
        _refuse(f"this machine's {key}", stored.host.get(key), now[key], hint)
    before, after = (_memory(host) for host in (stored.host, now))
    if abs(before - after) > _MEMORY_SHARE * before:
        _refuse("this machine's memory_bytes", before, after, hint)
    if stored.machine and machine and stored.machine != machine:
        raise UnfairError(f"run {stored.run_id} began on another machine of this kind", hint=hint)


def refuse_other_model(stored: StoredRun, settings: LaunchSettings) -> None:
    """Raise UnfairError if the model is not the one that was measured."""
    for stack in stored.stacks.values():
        if not stack.done.is_begun:
            continue
        for key, now in (
            ("model", settings.model.name),
            ("source_sha256", settings.model.source_sha256),
        ):
            hint = "Bring back what was measured, or begin a new run."
            _refuse(f"the model ({key})", stack.row[key], now, hint)


def refuse_other_prompts(stored: StoredRun, plan: Plan) -> None:
    """Raise UnfairError if a prompt is not the one that was asked under its number."""
    for name, stack in stored.stacks.items():
        for (is_warmup, number), text in stack.prompts.items():
            if not is_warmup and number > plan.iterations:
                continue
            planned = plan.warm_up(number) if is_warmup else plan.timed(number)
            if planned.prompt.text != text:
                kind = "warm-up request" if is_warmup else "iteration"
                raise UnfairError(
                    f"the prompt of {kind} {number} of {name} is not the one that was asked when "
                    f"the run began: {text[:40]!r} then, {planned.prompt.text[:40]!r} now",
                    hint="Has its file of prompts changed, or the model's tokenizer? "
                    "Bring back what it was, or begin a new run.",
                )


def refuse_other_mark(stored: StoredRun, mark: str) -> None:
    """Raise UnfairError if the prompts of a load (`prompts_mark`) are not those of its beginning.

    One that was killed before it kept the mark has no request.
    """
    hint = "Has its file of prompts changed? Bring back what it was, or begin a new run."
    if (before := stored.asked.get("prompts")) is not None:
        _refuse("what is asked (a hash of all prompts)", before, mark, hint)


def refuse_other_facts(
    stored: StoredRun, started: Container[str], facts: Mapping[str, Facts]
) -> None:
    """Raise UnfairError if a stack differs in a criterion from what it was when the run began.

    Only those that were `started` again can.
    """
    for name, stack in stored.stacks.items():
        now = facts.get(name)
        if name not in started or not stack.facts or now is None:
            continue
        for key in sorted(stack.facts.keys() | now.keys()):
            hint = "What was measured under different conditions is never put together."
            _refuse(f"{name}: {key}", stack.facts.get(key), now.get(key), hint)


def _memory(host: Mapping[str, Any]) -> int:
    return int(host.get("memory_bytes", 0))


def _refuse(what: str, before: object, now: object, hint: str) -> None:
    if before != now:
        was, is_now = ("not known" if each is None else each for each in (before, now))
        raise UnfairError(f"{what} was {was} when the run began, and is {is_now} now", hint=hint)

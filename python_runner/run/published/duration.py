"""How long measuring will take, about: from the model's size and the work that is asked.

By what two cores needed (docs/methodology.md): weights are read at 20 GB/s, and a model of
5.2 GB computes 40 prompt tokens a second. More cores are taken to do as much more, which is
kind to them. A guess for choosing a scale, and never a figure.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from python_runner.common.host import physical_cores
from python_runner.engines.contract import Engine
from python_runner.engines.served.at_once import Batching
from python_runner.models import Source
from python_runner.run.sizes import needs_of
from python_runner.study import Load, Study

_READ_PER_S = 20e9
"""Bytes of weights that two cores read while they decode for one request."""
_COMPUTED_PER_S = 2.1e11
"""Bytes of weights, times tokens, that they compute: 5.2 GB, 40 tokens a second."""
_CORES = 2
_TOKEN_S = 0.001
"""Of a token besides: HTTP, sampling, Python. It is all that a tiny model costs."""
_LEVEL_S = 4.0
"""Calibrating the client, and one request before the load."""
_START_S = 8.0
"""Starting a server twice: to look at it, and to measure it."""
_LOADING_S_PER_GB = 3.0


def measuring_s(
    study: Study, source: Source, engines: Mapping[str, Engine], *, cores: int | None = None
) -> float:
    """Seconds for all stacks of `study`, one after the other.

    Args:
        study: what is asked.
        source: its model.
        engines: its stacks.
        cores: of this machine; None: it is asked.
    """
    faster = (cores or physical_cores()) / _CORES
    if study.load is None:
        alone = needs_of(source, study, engines).stack_s / faster
        tokens = study.most_iterations * study.workload.new_tokens * _TOKEN_S
        return len(engines) * (alone + tokens + study.visits * _START_S)
    return sum(
        2 * source.bytes / 1e9 * _LOADING_S_PER_GB
        + _START_S
        + _levels_s(study, study.load, source.bytes / faster, _at_once(each, study.load))
        for each in engines.values()
    )


def _at_once(engine: Engine, load: Load) -> int:
    return 1 if engine.spec.batching is Batching.ONE_BY_ONE else load.slots


def _levels_s(study: Study, load: Load, size: float, at_once: int) -> float:
    """Of all levels; `size` is the model's, in bytes that two cores have to read."""
    work = study.workload
    total = 0.0
    for users in load.users:
        batch = min(users, at_once)
        prefill = work.prompt_tokens * size / _COMPUTED_PER_S
        step = max(size / _READ_PER_S, batch * size / _COMPUTED_PER_S) + batch * _TOKEN_S
        # Of the machine's time, the share of one answer.
        answer = prefill + work.new_tokens * step / batch
        requests = load.requests_of(users)
        if load.duration_s is None:
            total += (requests or 0) * answer
        else:
            # Whoever waits when the time is up is still answered.
            timed = load.duration_s if requests is None else min(load.duration_s, requests * answer)
            total += timed + users * answer
    for _rate in load.rate:
        total += load.duration_s or 0.0
    levels = len(load.users) + len(load.rate)
    return total + levels * _LEVEL_S if math.isfinite(total) else math.inf

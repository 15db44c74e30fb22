"""An embedded engine without weights that goes wrong when it is told to; runs in a worker."""

from __future__ import annotations

import time

from python_runner.engines.contract import (
    EngineDescription,
    GenerateRequest,
    Generation,
    LaunchSettings,
    StopReason,
)
from tests.faults.engines.doing import Fault

_MIDDLE = 2


class PaperModel:
    """Answers with as many tokens as it is asked for."""

    def __init__(self, fault: Fault) -> None:
        self._fault = fault

    @property
    def description(self) -> EngineDescription:
        return EngineDescription(version="1", build={})

    def token_ids(self, text: str) -> None:
        """None: it is known by its counts."""

    def generate(self, request: GenerateRequest) -> Generation:
        self._fault.asked()
        requested_ns = time.monotonic_ns()
        self._fault.come("first")
        stamps = []
        for number in range(request.new_tokens):
            if number == _MIDDLE:
                self._fault.come("middle")
            stamps.append(time.monotonic_ns())
        self._fault.come("after")
        return Generation(
            requested_ns=requested_ns,
            chunk_ns=tuple(stamps),
            chunk_tokens=(1,) * len(stamps),
            ended_ns=time.monotonic_ns(),
            prompt_tokens=len(request.prompt_ids),
            output_tokens=len(stamps),
            stop=StopReason.LENGTH,
            text=" t" * len(stamps),
            token_ids=tuple(range(10, 10 + len(stamps))),
        )

    def close(self) -> None:
        """Nothing is held."""


def load(settings: LaunchSettings) -> PaperModel:
    fault = Fault()
    fault.begin()
    fault.come("ready")
    return PaperModel(fault)

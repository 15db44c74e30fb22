"""A model without weights that takes its time, for a worker process."""

from __future__ import annotations

import time

from python_runner.common.clock import now_ns
from python_runner.engines.contract import (
    EngineDescription,
    GenerateRequest,
    Generation,
    LaunchSettings,
    StopReason,
)

TOKEN_S = 0.02
SECOND = "p1"
"""The prompt of the second request, in which something is done to the process: that one lasts long
enough for it on any machine."""
SECOND_TOKEN_S = 0.2


class SlowModel:
    """Gives a token every twenty milliseconds, and ten times slower in the second request."""

    description = EngineDescription(version="1", build={})

    def token_ids(self, text: str) -> tuple[int, ...] | None:
        return None

    def generate(self, request: GenerateRequest) -> Generation:
        requested_ns = now_ns()
        stamps = []
        for _ in range(request.new_tokens):
            time.sleep(SECOND_TOKEN_S if request.prompt_text == SECOND else TOKEN_S)
            stamps.append(now_ns())
        return Generation(
            requested_ns=requested_ns,
            chunk_ns=tuple(stamps),
            chunk_tokens=(1,) * len(stamps),
            ended_ns=now_ns(),
            prompt_tokens=len(request.prompt_ids),
            output_tokens=len(stamps),
            stop=StopReason.LENGTH,
            text="x" * len(stamps),
            token_ids=None,
        )

    def close(self) -> None:
        """Nothing to free."""


def load(settings: LaunchSettings) -> SlowModel:
    return SlowModel()

"""A vLLM server as a running engine: what it can be asked besides completions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from python_runner.engines.scoring import ScoreRequest, TokenScores
from python_runner.engines.served.message import parse
from python_runner.engines.served.openai_served import ServedOpenAi
from python_runner.engines.served.streaming import NotAnsweredError
from python_runner.engines.vllm.protocol import (
    COMPLETIONS,
    TOKENIZE,
    score_body,
    scores_of,
    token_ids_of,
    tokenize_body,
)

_BRIEF_TIMEOUT_S = 60.0


class ServedVllm(ServedOpenAi):
    """Implements `contract.RunningEngine`, `Served` and `scoring.Scores`."""

    def token_ids(self, text: str) -> tuple[int, ...]:
        body = tokenize_body(self.endpoint.model, text)
        return token_ids_of(self._ask(TOKENIZE, body, timeout_s=_BRIEF_TIMEOUT_S))

    def score(self, request: ScoreRequest) -> TokenScores:
        """How likely the given tokens are. The context needs room for one token more."""
        body = score_body(self.endpoint.model, request)
        return scores_of(self._ask(COMPLETIONS, body, timeout_s=request.timeout_s), request)

    def _ask(self, path: str, body: bytes, *, timeout_s: float) -> Mapping[str, Any]:
        """The answer to one question in one piece.

        Raises NotAnsweredError, EngineCrashError if the process is gone.
        """
        url = self.endpoint.url.removesuffix(COMPLETIONS) + path
        headers = {"Content-Type": "application/json"}
        try:
            answer = httpx.post(
                url, content=body, headers=headers, timeout=timeout_s, trust_env=False
            )
            said = parse(answer.raise_for_status().content)
        except (httpx.HTTPError, ValueError) as error:
            failure = NotAnsweredError(f"{url} did not answer: {error}")
            self._server.raise_if_gone(failure)
            raise failure from error
        if not isinstance(said, dict):
            raise NotAnsweredError(f"{url} answered what is no object")
        return said

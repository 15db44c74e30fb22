"""What vLLM's server is asked, and how it answers: read in the source of 0.32.0.

It speaks OpenAI's protocol and has more of its own, all of it used here:

- A prompt may be a list of token ids, which is taken as it is.
- `ignore_eos` goes on behind an end of sequence. `min_tokens` would forbid the end instead, and so
  change what comes.
- `return_token_ids` puts the ids of its tokens into every chunk, those of a token without text of
  its own (a part of a character) too. Several tokens may come in one chunk.
- The mark that ends an answer is counted as a token, and its id is in the last chunk.
- `/tokenize` reads a text as a prompt is read; `prompt_logprobs` scores a prompt's tokens.

A server on a GPU and one on a CPU are asked alike.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from python_runner.common.errors import GenerationError
from python_runner.engines.contract import GenerateRequest
from python_runner.engines.scoring import ScoreRequest, TokenScores
from python_runner.engines.served.openai_protocol import Piece

COMPLETIONS = "/v1/completions"
TOKENIZE = "/tokenize"
VERSION = "/version"
"""Answers with `{"version": …}` as soon as the model is loaded: the server listens only then."""

# What the model's own generation_config.json might set is left out by `--generation-config vllm`.
_GREEDY: Mapping[str, object] = {"temperature": 0.0}


def request_body(model: str, request: GenerateRequest) -> bytes:
    """The JSON of a request to the model of that name: the prompt as ids, greedy, streamed."""
    return json.dumps(
        {
            "model": model,
            "prompt": list(request.prompt_ids),
            "max_tokens": request.new_tokens,
            "seed": request.seed,
            "ignore_eos": request.ignore_end_of_sequence,
            "stream": True,
            "stream_options": {"include_usage": True},
            "return_token_ids": True,
            **_GREEDY,
        }
    ).encode()


def piece_of(choice: Mapping[str, Any]) -> Piece:
    """What a choice of a chunk carries."""
    return Piece(text=choice.get("text") or "", ids=tuple(choice.get("token_ids") or ()))


def tokenize_body(model: str, text: str) -> bytes:
    """The JSON that asks for the tokens of a text, with BOS if the model has it."""
    return json.dumps({"model": model, "prompt": text, "add_special_tokens": True}).encode()


def token_ids_of(answer: Mapping[str, Any]) -> tuple[int, ...]:
    """The ids in the answer to that. Raises GenerationError if there are none."""
    ids = answer.get("tokens")
    if not isinstance(ids, list):
        raise GenerationError(f"vLLM gave {ids!r} as the tokens of a text")
    return tuple(ids)


def score_body(model: str, request: ScoreRequest) -> bytes:
    """The JSON that scores given tokens: as the prompt of an answer that is thrown away."""
    return json.dumps(
        {
            "model": model,
            "prompt": [*request.prompt_ids, *request.answer_ids],
            "max_tokens": 1,
            "prompt_logprobs": request.top,
            **_GREEDY,
        }
    ).encode()


def scores_of(answer: Mapping[str, Any], request: ScoreRequest) -> TokenScores:
    """The scores in the answer to that. Raises GenerationError if some are missing."""
    try:
        places = answer["choices"][0]["prompt_logprobs"][len(request.prompt_ids) :]
        pairs = list(zip(request.answer_ids, places, strict=True))
        best = [_best(place, request.top) for place in places]
        return TokenScores(
            logprobs=tuple(float(place[str(token)]["logprob"]) for token, place in pairs),
            top_ids=tuple(tuple(token for token, _ in ranked) for ranked in best),
            top_logprobs=tuple(tuple(logprob for _, logprob in ranked) for ranked in best),
        )
    except (LookupError, TypeError, ValueError) as error:
        raise GenerationError(f"vLLM did not score what it was given: {error}") from error


def _best(place: Mapping[str, Any], top: int) -> list[tuple[int, float]]:
    """The best tokens of a place; the given one stands there too, whatever its rank."""
    ranked = sorted(place.items(), key=lambda item: int(item[1]["rank"]))[:top]
    return [(int(token), float(said["logprob"])) for token, said in ranked]

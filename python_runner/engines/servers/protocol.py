"""Requests to a server of the catalogue, and how its answers are to be read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from python_runner.engines.contract import GenerateRequest
from python_runner.engines.served.openai_protocol import Dialogue, Piece
from python_runner.engines.servers.schema import Answers, Asks
from python_runner.models import ReferenceTokenizer


def request_body(asks: Asks, model: str, request: GenerateRequest) -> bytes:
    """The JSON of a request: streamed, greedy, with the counts at its end."""
    prompt = list(request.prompt_ids) if asks.prompt == "ids" else request.prompt_text
    return json.dumps(
        {
            **({"model": model} if asks.names_model else {}),
            "prompt": prompt,
            asks.length: request.new_tokens,
            "temperature": 0.0,
            **({"seed": request.seed} if asks.seed else {}),
            "stream": True,
            **asks.body,
            **(asks.ignore_end if request.ignore_end_of_sequence else {}),
        }
    ).encode()


def dialogue_of(title: str, answers: Answers, folder: Path) -> Dialogue:
    """How the answers of the server of that title are read; `folder` has the model's tokenizer."""
    decode = ReferenceTokenizer(folder).decode if answers.text_of_ids else None
    return Dialogue(
        title=title,
        piece=partial(piece_of, answers),
        decode=decode,
        stops=answers.stops,
        end_is_counted=answers.end_is_counted,
        counts_its_chunks=bool(answers.counted_by),
        timings=answers.timings,
    )


def piece_of(answers: Answers, choice: Mapping[str, Any]) -> Piece:
    """What a choice carries."""
    ids = tuple(choice.get(answers.ids) or ()) if answers.ids else ()
    found = _at(choice, answers.counted_by) if answers.counted_by else None
    counted = found if isinstance(found, list) else []
    text = "".join(map(str, counted)) if answers.counted_has_text else choice.get("text") or ""
    return Piece(text=text, ids=ids, tokens=len(counted))


def _at(choice: Mapping[str, Any], keys: str) -> object:
    value: object = choice
    for key in keys.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value

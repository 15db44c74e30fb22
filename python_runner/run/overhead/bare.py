"""A child process that asks a library with our driver and without it, in turns.

    python -m python_runner.run.overhead.bare LIBRARY FOLDER THREADS NEW_TOKENS ROUNDS

Both ask the same loaded weights for the same tokens, so that nothing but the driver differs.
Prints one line of JSON at the end: tokens per second of whole requests, `ours` and `bare`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from python_runner.common.build.extension import import_extension
from python_runner.common.clock import NS_PER_S, now_ns
from python_runner.common.progress import SilentProgress

PROMPT_TOKENS = 8

Request = Callable[[], int]
"""Sends one request and returns how long it took, in nanoseconds."""


def transformers_requests(folder: Path, threads: int, new_tokens: int) -> tuple[Request, Request]:
    """`generate` through our driver, and `generate` as its documentation shows it."""
    import torch

    from python_runner.engines.contract import GenerateRequest
    from python_runner.engines.hf.engine import TransformersModel, load_parts

    model, tokenizer = load_parts(folder, threads)
    driver = TransformersModel(model, tokenizer)
    prompt = torch.tensor([_prompt(model.config.vocab_size)])
    request = GenerateRequest(
        prompt_text="", prompt_ids=tuple(prompt[0].tolist()), new_tokens=new_tokens
    )

    def ours() -> int:
        generation = driver.generate(request)
        return generation.ended_ns - generation.requested_ns

    def bare() -> int:
        started = now_ns()
        with torch.inference_mode():
            model.generate(
                prompt,
                attention_mask=torch.ones_like(prompt),
                max_new_tokens=new_tokens,
                do_sample=False,
            )
        return now_ns() - started

    return ours, bare


def mistralrs_requests(folder: Path, threads: int, new_tokens: int) -> tuple[Request, Request]:
    """mistral.rs with our look at every token, and a plain request to the crate.

    The threads are those of the environment.
    """
    from python_runner.engines.build.mistralrs import mistralrs_build
    from python_runner.engines.mistralrs.engine import LOADING

    del threads
    import_extension(mistralrs_build(SilentProgress()).folder, "polystack_mistralrs")
    import polystack_mistralrs

    vocabulary = json.loads((folder / "config.json").read_text(encoding="utf-8"))["vocab_size"]
    model = polystack_mistralrs.Model(str(folder), dtype=LOADING["bf16"].dtype)
    prompt = _prompt(vocabulary)

    def ours() -> int:
        answer = model.generate(prompt, new_tokens=new_tokens, stop_ids=())
        return answer.ended_ns - answer.requested_ns

    def bare() -> int:
        requested, ended = model.generate_unwatched(prompt, new_tokens=new_tokens)
        return ended - requested

    return ours, bare


LIBRARIES: Mapping[str, Callable[[Path, int, int], tuple[Request, Request]]] = {
    "mistral.rs": mistralrs_requests,
    "transformers": transformers_requests,
}


def take_turns(ours: Request, bare: Request, *, rounds: int) -> dict[str, list[int]]:
    """Nanoseconds of each request; who goes first changes with every round."""
    taken: dict[str, list[int]] = {"ours": [], "bare": []}
    for request in (ours, bare):
        request()  # the first one of each warms up
    for number in range(rounds):
        pair = [("ours", ours), ("bare", bare)]
        for name, request in pair if number % 2 == 0 else reversed(pair):
            taken[name].append(request())
    return taken


def _prompt(vocabulary: int) -> list[int]:
    """Ids from the middle of the vocabulary: pieces of text, and no markers."""
    return [vocabulary // 2 + number for number in range(PROMPT_TOKENS)]


def main(arguments: list[str]) -> None:
    """Measure what the command line names, and print it."""
    library, folder, *numbers = arguments
    threads, new_tokens, rounds = (int(number) for number in numbers)
    ours, bare = LIBRARIES[library](Path(folder), threads, new_tokens)
    taken = take_turns(ours, bare, rounds=rounds)
    rates: dict[str, Any] = {
        name: [new_tokens * NS_PER_S / ns for ns in times] for name, times in taken.items()
    }
    print(json.dumps(rates))  # noqa: T201 - the answer to the parent


if __name__ == "__main__":
    main(sys.argv[1:])

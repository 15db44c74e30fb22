"""How sure the tiny model is: `python models/gemma-2-tiny/evaluate.py`.

Decodes every held-out prompt greedily in bfloat16 and in float32 and prints, for each, whether
the answer is the right one and the smallest margin: the difference between the two largest
logits, over all tokens of the answer. Engines round differently; while their errors stay below
half the margin, they must give the same answer.
"""

from __future__ import annotations

import argparse
import json
import logging
import math
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from heldout import TARGET
from transformers import AutoModelForCausalLM

from python_runner.models.tokenizer import ReferenceTokenizer
from python_runner.models.tokenizer.lexicon import COMMON_WORDS
from python_runner.models.tokenizer.vocabulary import END_OF_TURN_ID, EOS_ID

FOLDER = Path(__file__).parent
LOG = logging.getLogger("evaluate")
NEW_TOKENS = 64
FILLERS = 200
"""Prompts of random words that are tried for an early end."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What greedy decoding gave."""

    ids: tuple[int, ...]
    margin: float
    """The smallest difference between the two largest logits."""


def answer(model: Any, ids: tuple[int, ...], tokens: int = NEW_TOKENS) -> Answer:
    """Decode `tokens` tokens after `ids`, or fewer if the text ends."""
    cache, given, made, margin = None, torch.tensor([ids]), [], math.inf
    with torch.inference_mode():
        for _ in range(tokens):
            step = model(input_ids=given, past_key_values=cache, use_cache=True)
            cache = step.past_key_values
            best = torch.topk(step.logits[0, -1].float(), 2)
            margin = min(margin, float(best.values[0] - best.values[1]))
            made.append(int(best.indices[0]))
            if made[-1] in (EOS_ID, END_OF_TURN_ID):
                break
            given = torch.tensor([made[-1:]])
    return Answer(ids=tuple(made), margin=margin)


def evaluate(folder: Path, dtype: torch.dtype) -> float:
    """Log a line for each prompt; returns the smallest margin of all."""
    tokenizer = ReferenceTokenizer(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, attn_implementation="eager")
    data = json.loads(TARGET.read_text(encoding="utf-8"))
    smallest = math.inf
    LOG.info("%s\n%-8s %13s %6s %16s", dtype, "kind", "prompt tokens", "right", "smallest margin")
    for prompt in [*data["prompts"], data["ends_by_itself"]]:
        ids = tokenizer.encode(prompt["prompt"])
        given = answer(model, ids)
        right = tokenizer.encode(prompt["answer"])[1:][:NEW_TOKENS]
        if prompt["kind"] == "farewell":
            right = (*right, EOS_ID)
        is_right = "yes" if given.ids == right else "NO"
        LOG.info("%-8s %13d %6s %16.3f", prompt["kind"], len(ids), is_right, given.margin)
        if given.ids != right:
            LOG.info("    %s", tokenizer.decode(given.ids))
        smallest = min(smallest, given.margin)
    chance = random.Random(0)  # noqa: S311 - texts, no secrets
    fillers = [" ".join(chance.sample(COMMON_WORDS, 20)) for _ in range(FILLERS)]
    ended = sum(len(answer(model, tokenizer.encode(text)).ids) < NEW_TOKENS for text in fillers)
    LOG.info("%d of %d prompts of random words ended early", ended, FILLERS)
    LOG.info("smallest margin of all: %.3f", smallest)
    return smallest


def main() -> None:
    """Evaluate in both precisions."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the model lies")
    folder: Path = parser.parse_args().folder
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(1)
    for dtype in (torch.bfloat16, torch.float32):
        evaluate(folder, dtype)


if __name__ == "__main__":
    main()

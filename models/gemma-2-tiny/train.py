"""Train the tiny model: `python models/gemma-2-tiny/train.py`, about 15 minutes on one core.

Writes the tokenizer, config.json and model.safetensors (bfloat16) into this folder. The same
seed gives the same text in the same order; the weights are the same only on the same
machine and library versions, because floating-point sums depend on both.
"""

from __future__ import annotations

import argparse
import itertools
import json
import logging
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from corpus import Document, documents
from safetensors.torch import save_file
from schedule import SEED, STAGES, STEPS, Stage
from torch.nn.functional import cross_entropy
from transformers import Gemma2Config, Gemma2ForCausalLM

from python_runner.models.architectures import Shape
from python_runner.models.architectures.base import EMBEDDING
from python_runner.models.cards import require_model
from python_runner.models.tokenizer import ReferenceTokenizer, make_vocabulary, write_tokenizer
from python_runner.models.tokenizer.vocabulary import EOS_ID

if TYPE_CHECKING:
    from torch import Tensor

FOLDER = Path(__file__).parent
LOG = logging.getLogger("train")
CHAT_SHARE = 0.1
"""Share of the documents that are wrapped as a user's turn and the model's answer."""
OPENING_WEIGHT = 0.03
"""Weight in the loss of what can't be foreseen. Small: there is little to learn from it."""


PEAK_RATE, LAST_RATE = 3e-3, 1e-5
WARMUP_STEPS = 40
EMBEDDING_SPREAD, MATRIX_SPREAD = 0.1, 0.08
"""Standard deviations at the start. Gemma's usual 0.02 is for models twenty times as wide: here
a token would drown in what the first layers add to it."""


@dataclass(frozen=True, kw_only=True)
class Batch:
    """What one step learns from; all of shape (documents, tokens)."""

    ids: Tensor
    weights: Tensor
    """Of each token as something to foresee; 0 where there is no token."""


def batches(
    stage: Stage, stream: Iterator[Document], tokenizer: ReferenceTokenizer
) -> Iterator[Batch]:
    """Encode documents from `stream` for one stage, without end."""
    drawn = 0
    while True:
        ids = torch.zeros(stage.batch, stage.length, dtype=torch.long)
        weights = torch.zeros(stage.batch, stage.length)
        for row in range(stage.batch):
            is_chat = math.floor(drawn * CHAT_SHARE) != math.floor((drawn + 1) * CHAT_SHARE)
            tokens, opening = encode(next(stream), tokenizer, is_chat=is_chat, length=stage.length)
            ids[row, : len(tokens)] = torch.tensor(tokens)
            weights[row, : len(tokens)] = 1.0
            weights[row, :opening] = 0.0 if is_chat else OPENING_WEIGHT
            drawn += 1
        yield Batch(ids=ids, weights=weights)


def encode(
    document: Document, tokenizer: ReferenceTokenizer, *, is_chat: bool, length: int
) -> tuple[list[int], int]:
    """Token ids, cut to `length`, and how many of them belong to what can't be foreseen."""
    opening = document.opening
    if is_chat:
        opening = f"<start_of_turn>user\n{opening}<end_of_turn>\n<start_of_turn>model\n"
    first = tokenizer.encode(opening)
    # No piece reaches over a space, so the parts can be encoded apart.
    rest = tokenizer.encode(document.rest[: 8 * length])[1:]
    end = (EOS_ID,) if document.ends else ()
    return [*first, *rest, *end][:length], len(first)


def rate(step: int) -> float:
    """The learning rate: a linear warm-up, then half a cosine down."""
    if step < WARMUP_STEPS:
        return PEAK_RATE * (step + 1) / WARMUP_STEPS
    along = (step - WARMUP_STEPS) / (STEPS - WARMUP_STEPS)
    return LAST_RATE + (PEAK_RATE - LAST_RATE) * 0.5 * (1 + math.cos(math.pi * along))


def loss_of(model: Gemma2ForCausalLM, batch: Batch) -> Tensor:
    """Weighted mean of the cross-entropy, in nats for each token."""
    ids, weights = batch.ids.to(model.device), batch.weights[:, 1:].to(model.device)
    counted = weights > 0
    states = model.model(input_ids=ids, use_cache=False).last_hidden_state[:, :-1][counted]
    cap = float(model.config.final_logit_softcapping or math.inf)
    logits = torch.tanh(model.lm_head(states) / cap) * cap
    losses = cross_entropy(logits, ids[:, 1:][counted], reduction="none")
    chosen = weights[counted]
    return (losses * chosen).sum() / chosen.sum()


def initialise(model: Gemma2ForCausalLM) -> None:
    """Draw the first weights; those of the norms stay 0, which Gemma takes as a factor of 1."""
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if name == EMBEDDING:
                weights.normal_(0.0, EMBEDDING_SPREAD)
            elif weights.dim() == 2:
                weights.normal_(0.0, MATRIX_SPREAD)


def train(model: Gemma2ForCausalLM, tokenizer: ReferenceTokenizer) -> dict[str, float]:
    """Run all stages. Returns the figures for the account of the training."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.0, betas=(0.9, 0.98), weight_decay=0.1)
    stream = documents(SEED)
    start, tokens, mean = time.monotonic(), 0, math.nan
    for step, batch in enumerate(all_batches(stream, tokenizer)):
        for group in optimizer.param_groups:
            group["lr"] = rate(step)
        loss = loss_of(model, batch)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        tokens += batch.ids.numel()
        mean = loss.item() if step == 0 else 0.95 * mean + 0.05 * loss.item()
        if step % 50 == 0 or step == STEPS - 1:
            elapsed = time.monotonic() - start
            LOG.info("%5.0f s  step %5d/%d  loss %.4f", elapsed, step, STEPS, mean)
    return {"seconds": time.monotonic() - start, "steps": STEPS, "tokens": tokens, "loss": mean}


def all_batches(stream: Iterator[Document], tokenizer: ReferenceTokenizer) -> Iterator[Batch]:
    """The batches of all stages, one after the other."""
    for stage in STAGES:
        yield from itertools.islice(batches(stage, stream, tokenizer), stage.steps)


def save(model: Gemma2ForCausalLM, shape: Shape, folder: Path) -> None:
    """Write weights (bfloat16) and config.json."""
    state = model.state_dict()
    weights = {
        name: state[name].to("cpu", torch.bfloat16).contiguous() for name, _ in shape.tensors()
    }
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_text(json.dumps(shape.config(), indent=2) + "\n")


def main() -> None:
    """Make the tokenizer, train, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where to write the model")
    parser.add_argument("--device", default="cpu", help="where to compute: cpu or cuda")
    options = parser.parse_args()
    folder: Path = options.folder
    folder.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    # One thread: the sums are then always taken in the same order.
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    shape = require_model("gemma-2-tiny").shape
    write_tokenizer(folder, make_vocabulary(shape.vocabulary), context=shape.context)
    # Eager is the only implementation of attention that has Gemma-2's soft caps.
    settings: dict[str, Any] = {**shape.config(), "attn_implementation": "eager"}
    model = Gemma2ForCausalLM(Gemma2Config(**settings))
    initialise(model)
    model.to(options.device)
    LOG.info("%d weights", shape.parameters)
    figures = train(model, ReferenceTokenizer(folder))
    save(model, shape, folder)
    LOG.info("%s", json.dumps(figures))


if __name__ == "__main__":
    main()

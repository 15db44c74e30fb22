"""Tokens scored by transformers, in one pass over all of them.

The logits are made in 32 bits from the model's own hidden states and its own bf16 head:
rounded to bf16, as the model would give them, logits above 16 are an eighth of a nat apart,
and what is a near-tie could not be told from a tie.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from python_runner.engines.scoring import ScoreRequest, TokenScores

if TYPE_CHECKING:
    import torch

_HEAD_ROWS = 1 << 14
"""Rows of the head that are widened to 32 bits at a time: all at once would double its memory."""


def score(model: Any, request: ScoreRequest) -> TokenScores:
    """What `model`, a causal language model of transformers, makes of the tokens."""
    import torch

    count = len(request.answer_ids)
    # The last token is scored, and nothing that would follow it.
    ids = torch.tensor([[*request.prompt_ids, *request.answer_ids[:-1]]])
    with torch.inference_mode(), _wide_head(model):
        logits = model(
            ids, attention_mask=torch.ones_like(ids), use_cache=False, logits_to_keep=count
        ).logits[0]
        return scores_of(logits, request)


def scores_of(logits: torch.Tensor, request: ScoreRequest) -> TokenScores:
    """The scores that follow from logits of shape (given tokens, vocabulary)."""
    import torch

    logprobs = torch.log_softmax(logits.float(), dim=-1)
    given = torch.tensor(request.answer_ids).unsqueeze(-1)
    best = logprobs.topk(min(request.top, logprobs.shape[-1]), dim=-1)
    return TokenScores(
        logprobs=tuple(logprobs.gather(-1, given).squeeze(-1).tolist()),
        top_ids=tuple(tuple(row) for row in best.indices.tolist()),
        top_logprobs=tuple(tuple(row) for row in best.values.tolist()),
    )


@contextmanager
def _wide_head(model: Any) -> Iterator[None]:
    """Let the output head compute in 32 bits. A quantised head stays as it is."""
    import torch

    head = model.get_output_embeddings()
    if head is None or type(head.weight.data) is not torch.Tensor:
        yield
        return
    plain = head.forward

    def wide(hidden: torch.Tensor) -> torch.Tensor:
        bias = None if head.bias is None else head.bias.float()
        parts = head.weight.split(_HEAD_ROWS)
        logits = torch.cat([hidden.float() @ rows.float().T for rows in parts], dim=-1)
        return logits if bias is None else logits + bias

    head.forward = wide
    try:
        yield
    finally:
        head.forward = plain

"""A program: `python -m python_runner.models.gptq_convert FOLDER MADE`.

It quantises the linear layers of a model by GPTQ to 4 bits. What it looks at is written by the
model itself: short openings of ours, each continued by drawing from the model's own
probabilities. So a model of random weights, whose pieces mean nothing, is shown what it will
see, as a trained one is. Nothing that came with a model is run as code.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

_OPENINGS = (
    "Why does the moon",
    "A recipe for bread",
    "The train to the coast",
    "Write a letter to",
    "In the year 1910",
    "Three reasons to learn",
    "The function returns a list",
    "Dear neighbours, the lift",
    "How many litres of water",
    "Once upon a time",
    "The court decided that",
    "An old clock on",
    "Explain to a child",
    "Prices rose by four",
    "The river is deep",
    "def total(values):",
    "What is the capital",
    "Her first bicycle was",
    "The patient was given",
    "Tomorrow it will rain",
    "List the planets from",
    "He opened the door",
    "Sugar, butter, two eggs",
    "According to the survey",
    "The goalkeeper had no",
    "Please compare the two",
    "A triangle has angles",
    "The engine would not",
    "Most birds of this",
    "If the number is",
    "They played until dark",
    "The museum closes at",
)
_OPENING_TOKENS = 4
_TOKENS = 128
"""Of each text, the opening counted; fewer for a model that is not made for as many."""
_SEED = 20240
_GROUPS = (128, 64, 32)
"""Weights with a scale of their own: the most usual first, and what the kernels know."""
_BITS = 4
_ONE_FILE = "1000GB"


def main() -> None:
    """Quantise what the command line names."""
    from optimum.gptq import GPTQQuantizer
    from transformers import PreTrainedTokenizerFast

    folder, made = Path(sys.argv[1]), Path(sys.argv[2])
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    model = _whole(folder)
    texts = _texts(model, tokenizer)
    quantiser = GPTQQuantizer(
        bits=_BITS,
        dataset=[{"input_ids": row, "attention_mask": row.new_ones(row.shape)} for row in texts],
        group_size=group_for(_rows(model)),
        backend="gptq_torch",
        desc_act=False,
        sym=True,
    )
    quantised = quantiser.quantize_model(model, tokenizer)
    # The texts would be written into config.json.
    quantiser.dataset = None
    quantised.config.quantization_config = quantiser.to_dict()
    quantiser.save(quantised, str(made), max_shard_size=_ONE_FILE)
    _tell_how_it_was_saved(made)


def _tell_how_it_was_saved(made: Path) -> None:
    """Let config.json name the format that the weights were written in.

    optimum 2.3 leaves there the one that they had while they were made, whose zero points are
    by one higher: each weight would be read as its neighbour, and the model as another.
    """
    saved = json.loads((made / "quantize_config.json").read_text("utf-8"))["format"]
    config = json.loads((made / "config.json").read_text("utf-8"))
    config["quantization_config"]["format"] = saved
    (made / "config.json").write_text(json.dumps(config, indent=2), "utf-8")


def _whole(folder: Path) -> Any:
    """The model in bf16, whatever type its files have."""
    import torch
    from transformers import AutoModelForCausalLM

    model: Any = AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.bfloat16, use_safetensors=True, trust_remote_code=False
    )
    return model.eval()


def _texts(model: Any, tokenizer: Any) -> Any:
    """What the layers are shown: (openings, 1, tokens) ids, the same for the same model."""
    import torch

    torch.manual_seed(_SEED)
    ids = [tokenizer(text).input_ids[:_OPENING_TOKENS] for text in _OPENINGS]
    shortest = min(len(each) for each in ids)
    prompts = torch.tensor([each[:shortest] for each in ids])
    tokens = min(_TOKENS, model.config.max_position_embeddings)
    with torch.inference_mode():
        written = model.generate(
            prompts,
            attention_mask=torch.ones_like(prompts),
            max_new_tokens=tokens - shortest,
            min_new_tokens=tokens - shortest,
            do_sample=True,
            top_k=0,
            top_p=1.0,
            temperature=1.0,
        )
    return written.clone().unsqueeze(1)


def _rows(model: Any) -> set[int]:
    """The lengths of the rows of all matrices that are quantised."""
    import torch

    head = model.get_output_embeddings()
    return {
        layer.in_features
        for layer in model.modules()
        if isinstance(layer, torch.nn.Linear) and layer is not head
    }


def group_for(rows: set[int]) -> int:
    """The largest group that divides rows of all these lengths. Raises ValueError."""
    found = next((size for size in _GROUPS if not any(row % size for row in rows)), None)
    if found is None:
        raise ValueError(f"no group of {_GROUPS} divides all rows of {sorted(rows)} weights")
    return found


if __name__ == "__main__":
    main()

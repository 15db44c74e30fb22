"""Stage 2: the same weights for every engine, in the format each one reads."""

from python_runner.models.cards import ModelCard, catalogue, require_model
from python_runner.models.model import Model
from python_runner.models.prepare import prepare_model, prepare_source
from python_runner.models.source import Source, find_source
from python_runner.models.tokenizer import ReferenceTokenizer, render_prompt

__all__ = [
    "Model",
    "ModelCard",
    "ReferenceTokenizer",
    "Source",
    "catalogue",
    "find_source",
    "prepare_model",
    "prepare_source",
    "render_prompt",
    "require_model",
]
